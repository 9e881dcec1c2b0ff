package dev.tributary.merging;

import dev.tributary.merging.method.Divergence;
import dev.tributary.models.LeadingTokens;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/// What one expert answers to its task's calibration inputs: the fixed side of DivMerge's
/// objective. Whole distributions or, of each, the most likely outcomes one by one and all others
/// as one.
final class Teacher {
    /// What an entry of the cache can hold.
    private static final long MOST_BYTES = 2000L << 20;

    private final int items;
    private final int labels;
    private final int leading;
    private final int[] ids;
    private final MemorySegment values;
    private final List<long[]> answers;

    /// Of each item's logits once it has been asked for, NaN before.
    private final double[] logSums;

    /// Whole distributions.
    ///
    /// @param logits row-major, `items * labels`
    Teacher(int items, int labels, float[] logits) {
        this(items, labels, 0, new int[0], logits, List.of());
    }

    /// @param leading outcomes that are kept one by one; 0 for whole distributions
    /// @param ids of the leading outcomes, in order, `items * leading`
    /// @param values logits, `items * labels`; or log-probabilities of the leading outcomes and of
    ///   all others, `items * (leading + 1)`
    /// @param answers texts at whose tokens these are the distributions, one after the other; none
    ///   where a label is chosen
    Teacher(int items, int labels, int leading, int[] ids, float[] values, List<long[]> answers) {
        this(items, labels, leading, ids, MemorySegment.ofArray(values), answers);
    }

    /// @param values as above, in the heap or in a mapped file
    Teacher(
            int items,
            int labels,
            int leading,
            int[] ids,
            MemorySegment values,
            List<long[]> answers) {
        long columns = leading == 0 ? labels : leading + 1;
        int tokens = answers.stream().mapToInt(answer -> answer.length).sum();
        if (values.byteSize() != items * columns * Float.BYTES || ids.length != items * leading) {
            throw new IllegalArgumentException(
                    "[teacher] %d bytes for %d items and %d labels, %d of them leading"
                            .formatted(values.byteSize(), items, labels, leading));
        }
        if (!answers.isEmpty() && tokens != items) {
            throw new IllegalArgumentException(
                    "[teacher] %d distributions for %d tokens".formatted(items, tokens));
        }
        this.items = items;
        this.labels = labels;
        this.leading = leading;
        this.ids = ids;
        this.values = values;
        this.answers = List.copyOf(answers);
        this.logSums = new double[leading == 0 ? items : 0];
        Arrays.fill(logSums, Double.NaN);
    }

    /// The same distributions, which are those at the tokens of these answers, one after the other.
    Teacher answering(List<long[]> generated) {
        return new Teacher(items, labels, leading, ids, values, generated);
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

    /// Outcomes that are kept one by one; 0 where all are.
    int leading() {
        return leading;
    }

    int[] ids() {
        return ids;
    }

    /// The numbers as they are kept.
    MemorySegment values() {
        return values;
    }

    /// Outcomes a comparison is over.
    int outcomes() {
        return leading == 0 ? labels : leading + 1;
    }

    /// The log-probabilities of one item's outcomes.
    void logProbabilities(int item, double[] target) {
        if (leading == 0) {
            read((long) item * labels, labels, target);
            if (Double.isNaN(logSums[item])) {
                double[] scratch = Arrays.copyOf(target, labels);
                logSums[item] = Divergence.logSum(scratch, labels);
            }
            double logSum = logSums[item];
            for (int label = 0; label < labels; label++) {
                target[label] -= logSum;
            }
            return;
        }
        read((long) item * (leading + 1), leading + 1, target);
    }

    private void read(long from, int count, double[] target) {
        for (int i = 0; i < count; i++) {
            target[i] = values.getAtIndex(ValueLayout.JAVA_FLOAT, from + i);
        }
    }

    /// What another distribution gives one item's outcomes.
    ///
    /// @param all its log-probabilities, one a label
    void together(int item, double[] all, double[] target) {
        if (leading == 0) {
            System.arraycopy(all, 0, target, 0, labels);
        } else {
            LeadingTokens.together(all, labels, ids, item * leading, leading, target);
        }
    }

    /// Turns a gradient by the logits of one item's outcomes into one by the logits of all labels.
    /// As the sum of such a gradient is zero, a leading label has its own, and the others share
    /// theirs as they share their probability.
    ///
    /// @param all log-probabilities, one a label
    /// @param together what [#together] made of them
    void spread(int item, double[] gradient, double[] all, double[] together, double[] target) {
        if (leading == 0) {
            System.arraycopy(gradient, 0, target, 0, labels);
            return;
        }
        int next = 0;
        for (int label = 0; label < labels; label++) {
            if (next < leading && ids[item * leading + next] == label) {
                target[label] = gradient[next++];
            } else {
                target[label] = gradient[leading] * Math.exp(all[label] - together[leading]);
            }
        }
    }

    /// Collects the distributions of one expert, batch by batch.
    static final class Recorder {
        private final int items;
        private final int wanted;
        private int labels;
        private int leading;
        private int[] ids = {};
        private float[] values = {};

        /// @param leading outcomes to keep one by one, where there are more; 0 for all
        Recorder(int items, int leading) {
            this.items = items;
            this.wanted = leading;
        }

        /// Takes one item's logits.
        void add(int item, float[] logits, int from, int count) {
            if (labels == 0) {
                labels = count;
                leading = wanted < count ? wanted : 0;
                long bytes = (long) items * (leading == 0 ? count : 2L * leading + 1) * Float.BYTES;
                if (bytes > MOST_BYTES) {
                    throw new RefusedException(
                            new Fault(
                                    FailureCode.BAD_OPTION,
                                    "teacher_tokens",
                                    "the expert's %d distributions over %d tokens are too many to keep (%d MiB, at most %d), expected fewer: teacher_tokens: 64, fewer calibration_items or fewer max_new_tokens"
                                            .formatted(
                                                    items, count, bytes >> 20, MOST_BYTES >> 20)));
                }
                ids = new int[Math.multiplyExact(items, leading)];
                values = new float[Math.multiplyExact(items, leading == 0 ? count : leading + 1)];
            }
            if (leading == 0) {
                System.arraycopy(logits, from, values, item * labels, labels);
                return;
            }
            int[] most = LeadingTokens.of(logits, from, labels, leading);
            System.arraycopy(most, 0, ids, item * leading, leading);
            double[] all = new double[labels];
            double[] together = new double[leading + 1];
            Divergence.logSoftmax(logits, from, labels, all);
            LeadingTokens.together(all, labels, most, 0, leading, together);
            for (int outcome = 0; outcome <= leading; outcome++) {
                values[item * (leading + 1) + outcome] = (float) together[outcome];
            }
        }

        Teacher teacher() {
            return new Teacher(items, labels, leading, ids, values, List.of());
        }
    }
}
