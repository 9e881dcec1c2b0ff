package dev.tributary.models;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.RefusedException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Asks a model for the labels of examples and compares them with the right ones.
public final class Scorer {
    private static final int ROWS = 32;

    private Scorer() {}

    /// Scores a classifier checkpoint on one split of a task.
    ///
    /// @throws RefusedException where labels do not fit or the examples cannot be read
    public static Scores score(Checkpoint checkpoint, TaskDefinition task, Split split) {
        List<Example> examples = task.examples(split);
        try (RunningModel model = RunningModel.open(checkpoint);
                TextTokenizer tokenizer = TextTokenizer.open(checkpoint.directory())) {
            var faults = task.labelFaults(model.config(), checkpoint.directory().toString());
            if (!faults.isEmpty()) {
                throw new RefusedException(faults);
            }
            return score(
                    model,
                    null,
                    tokenizer.tokenize(examples, model.config().tokensFor(task)),
                    task.labelIds(examples),
                    task.labels(),
                    task.metric());
        }
    }

    /// Scores a running model.
    ///
    /// @param head the task's, or null for the model's own
    /// @param expected ids of the right labels, one a text
    /// @param labels by id
    public static Scores score(
            RunningModel model,
            @Nullable Head head,
            TokenizedTexts texts,
            int[] expected,
            List<String> labels,
            Metric metric) {
        int classes = labels.size();
        float[] logProbabilities = logProbabilities(model, head, texts, classes);
        int[] predicted = new int[texts.size()];
        for (int item = 0; item < predicted.length; item++) {
            predicted[item] = largest(logProbabilities, item * classes, classes);
        }
        double value = metric.score(predicted, expected, classes);
        return new Scores(labels, predicted, logProbabilities, metric, value);
    }

    /// The log-probabilities a model gives each text, row-major in the order of the texts.
    public static float[] logProbabilities(
            RunningModel model, @Nullable Head head, TokenizedTexts texts, int classes) {
        float[] all = new float[Math.multiplyExact(texts.size(), classes)];
        for (int[] group : texts.byLength(ROWS)) {
            float[] rows = model.logits(head, texts.batch(group));
            if (rows.length != group.length * classes) {
                throw new IllegalArgumentException(
                        "the model tells %d labels apart, expected %d"
                                .formatted(rows.length / group.length, classes));
            }
            LogSoftmax.inPlace(rows, group.length, classes);
            for (int row = 0; row < group.length; row++) {
                System.arraycopy(rows, row * classes, all, group[row] * classes, classes);
            }
        }
        return all;
    }

    private static int largest(float[] values, int start, int count) {
        int largest = 0;
        for (int i = 1; i < count; i++) {
            if (values[start + i] > values[start + largest]) {
                largest = i;
            }
        }
        return largest;
    }
}
