package dev.tributary.models;

/// Turns logits into logarithms of probabilities.
final class LogSoftmax {
    private LogSoftmax() {}

    /// Replaces each row of logits by its log-probabilities.
    static void inPlace(float[] logits, int rows, int columns) {
        for (int row = 0; row < rows; row++) {
            int start = row * columns;
            double largest = Double.NEGATIVE_INFINITY;
            for (int i = start; i < start + columns; i++) {
                largest = Math.max(largest, logits[i]);
            }
            double sum = 0;
            for (int i = start; i < start + columns; i++) {
                sum += Math.exp(logits[i] - largest);
            }
            double logSum = largest + Math.log(sum);
            for (int i = start; i < start + columns; i++) {
                logits[i] = (float) (logits[i] - logSum);
            }
        }
    }
}
