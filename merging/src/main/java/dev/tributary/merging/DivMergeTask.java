package dev.tributary.merging;

import dev.tributary.merging.method.Divergence;
import dev.tributary.merging.method.OutputLoss;
import dev.tributary.models.Head;
import dev.tributary.models.LogitLoss;
import org.jspecify.annotations.Nullable;

/// One task of DivMerge's objective: its inputs, its expert's answers and its head.
///
/// @param head what the expert has besides the shared tensors; null when it is the model's own
record DivMergeTask(String name, @Nullable Head head, CalibrationInputs inputs, Teacher teacher) {

    /// The mean loss over some items, to be computed from the merged model's logits: over the
    /// answers of each, then over the items.
    ///
    /// @param items whose logits they are, answer by answer
    /// @param scale multiplies the gradient, not the returned loss
    LogitLoss loss(OutputLoss loss, int[] items, double scale) {
        return (logits, rows, columns, gradient) -> {
            double[] expert = new double[columns];
            double[] merged = new double[columns];
            double[] slope = new double[columns];
            double all = inputs.weight(items);
            double sum = 0;
            int row = 0;
            for (int item : items) {
                double share = inputs.weight(item) / inputs.answers(item) / all;
                for (int answer = 0; answer < inputs.answers(item); answer++) {
                    teacher.logProbabilities(inputs.firstAnswer(item) + answer, expert);
                    Divergence.logSoftmax(logits, row * columns, columns, merged);
                    sum += share * loss.between(expert, merged, columns, slope);
                    for (int c = 0; c < columns; c++) {
                        gradient[row * columns + c] = (float) (scale * share * slope[c]);
                    }
                    row++;
                }
            }
            if (row != rows) {
                throw new IllegalArgumentException(
                        "[%s] %d answers, expected %d".formatted(name, rows, row));
            }
            return sum;
        };
    }
}
