package dev.tributary.models;

import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// How a model did on labelled examples, item by item and as one number.
public final class Scores {
    /// An answer that scores so much counts as right.
    private static final double RIGHT = 0.5;

    private final List<String> answers;
    private final double[] itemScores;
    private final Metric metric;
    private final double value;
    private final @Nullable Choices choices;
    private final Supplier<double[]> influences;

    private Scores(
            List<String> answers,
            double[] itemScores,
            Metric metric,
            double value,
            @Nullable Choices choices,
            Supplier<double[]> influences) {
        this.answers = List.copyOf(answers);
        this.itemScores = itemScores;
        this.metric = metric;
        this.value = value;
        this.choices = choices;
        this.influences = influences;
    }

    /// Labels chosen.
    private record Choices(List<String> labels, Rows rows) {}

    /// Held apart, since a record has no arrays.
    private static final class Rows {
        private final int[] predicted;
        private final float[] logProbabilities;

        Rows(int[] predicted, float[] logProbabilities) {
            this.predicted = predicted;
            this.logProbabilities = logProbabilities;
        }
    }

    /// Of labels.
    static Scores of(
            List<String> labels,
            int[] predicted,
            int[] expected,
            float[] logProbabilities,
            LabelMetric metric) {
        double[] right = new double[predicted.length];
        for (int i = 0; i < right.length; i++) {
            right[i] = predicted[i] == expected[i] ? 1 : 0;
        }
        return new Scores(
                Arrays.stream(predicted).mapToObj(labels::get).toList(),
                right,
                metric,
                metric.score(predicted, expected, labels.size()),
                new Choices(List.copyOf(labels), new Rows(predicted, logProbabilities)),
                () -> metric.influences(predicted, expected, labels.size()));
    }

    /// Of texts, scored by the mean of their items.
    static Scores of(List<String> answers, double[] itemScores, TextMetric metric) {
        double mean = Arrays.stream(itemScores).average().orElse(Double.NaN);
        double[] influences = Arrays.stream(itemScores).map(score -> score - mean).toArray();
        return new Scores(answers, itemScores, metric, mean, null, () -> influences);
    }

    /// Of texts that are not generated but have a likelihood: the geometric mean over all tokens.
    ///
    /// @param logLikelihoods natural, of each item's whole text
    /// @param tokens how many each has
    static Scores ofLikelihoods(double[] logLikelihoods, int[] tokens, TextMetric metric) {
        int items = tokens.length;
        double all = Arrays.stream(tokens).sum();
        double mean = Arrays.stream(logLikelihoods).sum() / all;
        double value = Math.exp(mean);
        double[] scores = new double[items];
        double[] influences = new double[items];
        for (int i = 0; i < items; i++) {
            scores[i] = Math.exp(logLikelihoods[i] / tokens[i]);
            influences[i] = value * (logLikelihoods[i] - tokens[i] * mean) * items / all;
        }
        return new Scores(List.of(), scores, metric, value, null, () -> influences);
    }

    /// How many examples.
    public int items() {
        return itemScores.length;
    }

    /// The labels, by id.
    ///
    /// @throws IllegalStateException where texts were generated
    public List<String> labels() {
        return choices().labels();
    }

    /// The id of the most probable label of each example, in their order.
    ///
    /// @throws IllegalStateException where texts were generated
    public int[] predicted() {
        return choices().rows().predicted;
    }

    /// What the model answered: the name of the most probable label, or a text; empty where nothing
    /// had to be answered.
    public String answer(int item) {
        return answers.isEmpty() ? "" : answers.get(item);
    }

    /// Natural logarithms of the labels' probabilities, row-major, one row an example.
    ///
    /// @throws IllegalStateException where texts were generated
    public float[] logProbabilities() {
        return choices().rows().logProbabilities;
    }

    private Choices choices() {
        if (choices == null) {
            throw new IllegalStateException("texts were generated, no labels chosen");
        }
        return choices;
    }

    /// How good each answer is, from 0 to 1; a label is 1 where it is right.
    public double[] itemScores() {
        return itemScores.clone();
    }

    /// How much each item moves the value: with a little more weight on an item, the value moves by
    /// that much of its influence. Their mean square divided by the number of items is the value's
    /// variance over draws of items.
    public double[] influences() {
        return influences.get().clone();
    }

    /// Whether an answer is right: the label is, or the text scores a half or more.
    public boolean right(int item) {
        return itemScores[item] >= RIGHT;
    }

    public Metric metric() {
        return metric;
    }

    /// The metric's value; 1 is perfect.
    public double value() {
        return value;
    }
}
