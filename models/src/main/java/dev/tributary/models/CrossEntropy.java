package dev.tributary.models;

/// The mean over texts of the negative log-probability of the right label.
final class CrossEntropy implements LogitLoss {
    private final int[] labels;

    /// @param labels ids of the right labels, one a text
    CrossEntropy(int... labels) {
        this.labels = labels;
    }

    @Override
    public double apply(float[] logits, int rows, int columns, float[] gradient) {
        System.arraycopy(logits, 0, gradient, 0, gradient.length);
        LogSoftmax.inPlace(gradient, rows, columns);
        double loss = 0;
        for (int row = 0; row < rows; row++) {
            int start = row * columns;
            loss -= gradient[start + labels[row]];
            for (int i = start; i < start + columns; i++) {
                gradient[i] = (float) (Math.exp(gradient[i]) / rows);
            }
            gradient[start + labels[row]] -= 1f / rows;
        }
        return loss / rows;
    }
}
