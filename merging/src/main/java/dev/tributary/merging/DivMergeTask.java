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

    /// The mean loss over some items, to be computed from the merged model's logits.
    ///
    /// @param items whose logits they are, row by row
    /// @param scale multiplies the gradient, not the returned loss
    LogitLoss loss(OutputLoss loss, int[] items, double scale) {
        return (logits, rows, columns, gradient) -> {
            double[] expert = new double[columns];
            double[] merged = new double[columns];
            double[] slope = new double[columns];
            double sum = 0;
            for (int row = 0; row < rows; row++) {
                teacher.logProbabilities(items[row], expert);
                Divergence.logSoftmax(logits, row * columns, columns, merged);
                sum += loss.between(expert, merged, columns, slope);
                for (int c = 0; c < columns; c++) {
                    gradient[row * columns + c] = (float) (scale * slope[c] / rows);
                }
            }
            return sum / rows;
        };
    }
}
