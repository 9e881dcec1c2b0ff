package dev.tributary.merging;

import dev.tributary.merging.method.Divergence;
import dev.tributary.merging.method.OutputLoss;
import dev.tributary.merging.method.Workers;
import dev.tributary.models.Head;
import dev.tributary.models.LogitLoss;
import org.jspecify.annotations.Nullable;

/// One task of DivMerge's objective: its inputs, its expert's answers and its head.
///
/// @param head what the expert has besides the shared tensors; null when it is the model's own
record DivMergeTask(String name, @Nullable Head head, CalibrationInputs inputs, Teacher teacher) {

    /// Logits a thread takes at a time: a few answers over a whole vocabulary, or all of a batch
    /// that chooses among labels.
    private static final int PIECE = 1 << 15;

    /// The mean loss over some items, to be computed from the merged model's logits: over the
    /// answers of each, then over the items.
    ///
    /// @param items whose logits they are, answer by answer
    /// @param scale multiplies the gradient, not the returned loss
    LogitLoss loss(OutputLoss loss, int[] items, double scale, Workers workers) {
        return (logits, rows, columns, gradient) -> {
            int[] asked = new int[rows];
            double[] shares = shares(items, asked);
            double[] losses = new double[rows];
            int together = Math.max(1, PIECE / columns);
            workers.each(
                    Math.ceilDiv(rows, together),
                    piece -> {
                        int outcomes = teacher.outcomes();
                        double[] expert = new double[outcomes];
                        double[] all = new double[columns];
                        double[] merged = new double[outcomes];
                        double[] slope = new double[outcomes];
                        double[] slopes = new double[columns];
                        int end = Math.min(rows, (piece + 1) * together);
                        for (int row = piece * together; row < end; row++) {
                            int from = row * columns;
                            teacher.logProbabilities(asked[row], expert);
                            Divergence.logSoftmax(logits, from, columns, all);
                            teacher.together(asked[row], all, merged);
                            losses[row] = loss.between(expert, merged, outcomes, slope);
                            teacher.spread(asked[row], slope, all, merged, slopes);
                            for (int c = 0; c < columns; c++) {
                                gradient[from + c] = (float) (scale * shares[row] * slopes[c]);
                            }
                        }
                    });
            double sum = 0;
            for (int row = 0; row < rows; row++) {
                sum += shares[row] * losses[row];
            }
            return sum;
        };
    }

    /// How much each row counts.
    ///
    /// @param asked receives the number of the answer each row is
    private double[] shares(int[] items, int[] asked) {
        double[] shares = new double[asked.length];
        double all = inputs.weight(items);
        int row = 0;
        for (int item : items) {
            for (int answer = 0; answer < inputs.answers(item); answer++, row++) {
                if (row < shares.length) {
                    shares[row] = inputs.weight(item) / inputs.answers(item) / all;
                    asked[row] = inputs.firstAnswer(item) + answer;
                }
            }
        }
        if (row != shares.length) {
            throw new IllegalArgumentException(
                    "[%s] %d answers, expected %d".formatted(name, shares.length, row));
        }
        return shares;
    }
}
