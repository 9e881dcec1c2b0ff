package dev.tributary.merging;

import dev.tributary.merging.method.Divergence;
import java.util.List;

/// What one expert answers to its task's calibration inputs: the fixed side of DivMerge's
/// objective.
final class Teacher {
    private final int items;
    private final int labels;
    private final float[] logits;
    private final List<long[]> answers;

    /// @param logits row-major, `items * labels`
    Teacher(int items, int labels, float[] logits) {
        this(items, labels, logits, List.of());
    }

    private Teacher(int items, int labels, float[] logits, List<long[]> answers) {
        if (logits.length != items * labels) {
            throw new IllegalArgumentException(
                    "[teacher] %d logits for %d items and %d labels"
                            .formatted(logits.length, items, labels));
        }
        this.items = items;
        this.labels = labels;
        this.logits = logits;
        this.answers = List.copyOf(answers);
    }

    /// The same distributions, which are those at the tokens of these answers, one after the other.
    Teacher answering(List<long[]> generated) {
        int tokens = generated.stream().mapToInt(answer -> answer.length).sum();
        if (!generated.isEmpty() && tokens != items) {
            throw new IllegalArgumentException(
                    "[teacher] %d distributions for %d tokens".formatted(items, tokens));
        }
        return new Teacher(items, labels, logits, generated);
    }

    /// The texts an expert that generates has answered with, one to each input; none where a label
    /// is chosen.
    List<long[]> answers() {
        return answers;
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
