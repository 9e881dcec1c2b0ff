package dev.tributary.merging.method;

import dev.tributary.tensors.Exponentials;

/// How far the merged model's answer is from an expert's, as a number in nats and as a gradient
/// with respect to the merged model's logits.
///
/// Both distributions are given as log-probabilities, so that nothing is divided and an underflow
/// cannot become a NaN. The expert is the first, fixed argument, as in DivMerge's equation 3 (arXiv
/// 2509.02108).
public enum Divergence implements OutputLoss {
    /// Jensen-Shannon divergence: `0.5 KL(p||m) + 0.5 KL(q||m)` with `m = (p + q) / 2`. Bounded by
    /// log 2, symmetric; DivMerge's default.
    JS("js") {
        @Override
        public double between(double[] expert, double[] merged, int classes, double[] gradient) {
            double expertPart = 0;
            double mergedPart = 0;
            int together = Math.min(classes, TOGETHER);
            double[] p = new double[together];
            double[] q = new double[together];
            double[] middle = new double[together];
            for (int from = 0; from < classes; from += together) {
                int count = Math.min(together, classes - from);
                Exponentials.exp(expert, from, p, count);
                Exponentials.exp(merged, from, q, count);
                for (int c = 0; c < count; c++) {
                    middle[c] = 0.5 * (p[c] + q[c]);
                }
                Exponentials.log(middle, 0, middle, count);
                for (int c = 0; c < count; c++) {
                    double slope = merged[from + c] - middle[c];
                    expertPart += p[c] * (expert[from + c] - middle[c]);
                    mergedPart += q[c] * slope;
                    gradient[from + c] = slope;
                }
                System.arraycopy(q, 0, expert, from, count);
            }
            for (int c = 0; c < classes; c++) {
                gradient[c] = 0.5 * expert[c] * (gradient[c] - mergedPart);
            }
            return Math.max(0, 0.5 * expertPart + 0.5 * mergedPart);
        }
    },
    /// Kullback-Leibler divergence of the merged model from the expert, `KL(expert || merged)`: the
    /// forward direction. Unbounded: one answer the merged model finds impossible can outweigh all
    /// others.
    KL("kl") {
        @Override
        public double between(double[] expert, double[] merged, int classes, double[] gradient) {
            double sum = 0;
            int together = Math.min(classes, TOGETHER);
            double[] p = new double[together];
            double[] q = new double[together];
            for (int from = 0; from < classes; from += together) {
                int count = Math.min(together, classes - from);
                Exponentials.exp(expert, from, p, count);
                Exponentials.exp(merged, from, q, count);
                for (int c = 0; c < count; c++) {
                    sum += p[c] * (expert[from + c] - merged[from + c]);
                    gradient[from + c] = q[c] - p[c];
                }
            }
            return Math.max(0, sum);
        }
    };

    /// Classes that are gone through at a time, few enough for what is made of them to stay in the
    /// first-level cache.
    static final int TOGETHER = 512;

    private final String id;

    Divergence(String id) {
        this.id = id;
    }

    @Override
    public String quantity() {
        return "divergence from the experts";
    }

    /// The word used in options, recipes and lineage.
    public String id() {
        return id;
    }

    /// Log-probabilities of logits: `z - logsumexp(z)`, in fp64.
    public static void logSoftmax(float[] logits, int from, int classes, double[] target) {
        for (int c = 0; c < classes; c++) {
            target[c] = logits[from + c];
        }
        double logSum = logSum(target, classes);
        for (int c = 0; c < classes; c++) {
            target[c] = logits[from + c] - logSum;
        }
    }

    /// The logarithm of the sum of the exponentials of logits, in fp64.
    ///
    /// @param logits something else afterwards
    public static double logSum(double[] logits, int classes) {
        double greatest = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < classes; c++) {
            greatest = Math.max(greatest, logits[c]);
        }
        for (int c = 0; c < classes; c++) {
            logits[c] -= greatest;
        }
        Exponentials.exp(logits, 0, logits, classes);
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            sum += logits[c];
        }
        return greatest + Math.log(sum);
    }
}
