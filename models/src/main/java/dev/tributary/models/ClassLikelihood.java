package dev.tributary.models;

/// The log-likelihood of one class for one text, to be differentiated as it is.
final class ClassLikelihood implements LogitLoss {
    private final int label;
    private double probability;

    ClassLikelihood(int label) {
        this.label = label;
    }

    /// How likely the model holds the class; known once it has run.
    double probability() {
        return probability;
    }

    @Override
    public double apply(float[] logits, int rows, int columns, float[] gradient) {
        System.arraycopy(logits, 0, gradient, 0, gradient.length);
        LogSoftmax.inPlace(gradient, rows, columns);
        double logarithm = gradient[label];
        probability = Math.exp(logarithm);
        for (int i = 0; i < columns; i++) {
            gradient[i] = (float) ((i == label ? 1 : 0) - Math.exp(gradient[i]));
        }
        return logarithm;
    }
}
