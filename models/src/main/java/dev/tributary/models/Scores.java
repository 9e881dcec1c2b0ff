package dev.tributary.models;

import java.util.List;

/// How a model did on labelled examples, item by item and as one number.
public final class Scores {
    private final List<String> labels;
    private final int[] predicted;
    private final float[] logProbabilities;
    private final Metric metric;
    private final double value;

    Scores(
            List<String> labels,
            int[] predicted,
            float[] logProbabilities,
            Metric metric,
            double value) {
        this.labels = List.copyOf(labels);
        this.predicted = predicted;
        this.logProbabilities = logProbabilities;
        this.metric = metric;
        this.value = value;
    }

    /// How many examples.
    public int items() {
        return predicted.length;
    }

    /// The labels, by id.
    public List<String> labels() {
        return labels;
    }

    /// The id of the most probable label of each example, in their order.
    public int[] predicted() {
        return predicted;
    }

    /// The name of the most probable label of an example.
    public String predictedLabel(int item) {
        return labels.get(predicted[item]);
    }

    /// Natural logarithms of the labels' probabilities, row-major, one row an example.
    public float[] logProbabilities() {
        return logProbabilities;
    }

    public Metric metric() {
        return metric;
    }

    /// The metric's value; 1 is perfect.
    public double value() {
        return value;
    }
}
