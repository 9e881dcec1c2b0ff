package dev.tributary.merging.method;

import dev.tributary.tensors.Exponentials;

/// How unsure an answer is: `H(q) = -sum q log q`. No expert is looked at.
enum Entropy implements OutputLoss {
    OF_THE_MERGED;

    @Override
    public String quantity() {
        return "entropy of the merged model's answers";
    }

    @Override
    public double between(double[] expert, double[] merged, int classes, double[] gradient) {
        Exponentials.exp(merged, 0, gradient, classes);
        double entropy = 0;
        for (int c = 0; c < classes; c++) {
            entropy -= gradient[c] * merged[c];
        }
        for (int c = 0; c < classes; c++) {
            gradient[c] *= -(merged[c] + entropy);
        }
        return Math.max(0, entropy);
    }
}
