package dev.tributary.merging;

/// The Adam optimiser (arXiv 1412.6980, algorithm 1) over a few numbers, as PyTorch computes it.
final class Adam {
    private static final double BETA_1 = 0.9;
    private static final double BETA_2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final double[] mean;
    private final double[] square;
    private int steps;

    Adam(int size) {
        this.mean = new double[size];
        this.square = new double[size];
    }

    /// Moves the values one step against the gradient.
    void step(double learningRate, double[] values, double[] gradient) {
        steps++;
        double meanCorrection = 1 - Math.pow(BETA_1, steps);
        double squareCorrection = 1 - Math.pow(BETA_2, steps);
        for (int i = 0; i < values.length; i++) {
            mean[i] = BETA_1 * mean[i] + (1 - BETA_1) * gradient[i];
            square[i] = BETA_2 * square[i] + (1 - BETA_2) * gradient[i] * gradient[i];
            values[i] -=
                    learningRate
                            * (mean[i] / meanCorrection)
                            / (Math.sqrt(square[i] / squareCorrection) + EPSILON);
        }
    }
}
