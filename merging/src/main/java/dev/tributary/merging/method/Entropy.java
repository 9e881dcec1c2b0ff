package dev.tributary.merging.method;

/// How unsure an answer is: `H(q) = -sum q log q`. No expert is looked at.
enum Entropy implements OutputLoss {
    OF_THE_MERGED;

    @Override
    public String quantity() {
        return "entropy of the merged model's answers";
    }

    @Override
    public double between(double[] expert, double[] merged, int classes, double[] gradient) {
        double entropy = 0;
        for (int c = 0; c < classes; c++) {
            entropy -= Math.exp(merged[c]) * merged[c];
        }
        for (int c = 0; c < classes; c++) {
            gradient[c] = -Math.exp(merged[c]) * (merged[c] + entropy);
        }
        return Math.max(0, entropy);
    }
}
