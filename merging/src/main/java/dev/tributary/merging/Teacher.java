package dev.tributary.merging;

import dev.tributary.merging.method.Divergence;

/// What one expert answers to its task's calibration inputs: the fixed side of DivMerge's
/// objective.
final class Teacher {
    private final int items;
    private final int labels;
    private final float[] logits;

    /// @param logits row-major, `items * labels`
    Teacher(int items, int labels, float[] logits) {
        if (logits.length != items * labels) {
            throw new IllegalArgumentException(
                    "[teacher] %d logits for %d items and %d labels"
                            .formatted(logits.length, items, labels));
        }
        this.items = items;
        this.labels = labels;
        this.logits = logits;
    }

    /// An expert that holds every label equally likely: stands in where a loss looks at the merged
    /// model alone.
    static Teacher undecided(int items, int labels) {
        return new Teacher(items, labels, new float[items * labels]);
    }

    int items() {
        return items;
    }

    int labels() {
        return labels;
    }

    float[] logits() {
        return logits;
    }

    /// The log-probabilities of one item's labels.
    void logProbabilities(int item, double[] target) {
        Divergence.logSoftmax(logits, item * labels, labels, target);
    }
}
