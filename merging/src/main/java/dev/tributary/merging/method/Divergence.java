package dev.tributary.merging.method;

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
            for (int c = 0; c < classes; c++) {
                double middle = logMean(expert[c], merged[c]);
                expertPart += Math.exp(expert[c]) * (expert[c] - middle);
                gradient[c] = merged[c] - middle;
                mergedPart += Math.exp(merged[c]) * gradient[c];
            }
            for (int c = 0; c < classes; c++) {
                gradient[c] = 0.5 * Math.exp(merged[c]) * (gradient[c] - mergedPart);
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
            for (int c = 0; c < classes; c++) {
                double p = Math.exp(expert[c]);
                sum += p * (expert[c] - merged[c]);
                gradient[c] = Math.exp(merged[c]) - p;
            }
            return Math.max(0, sum);
        }
    };

    private static final double LOG_2 = Math.log(2);

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
        double greatest = Double.NEGATIVE_INFINITY;
        for (int c = 0; c < classes; c++) {
            greatest = Math.max(greatest, logits[from + c]);
        }
        double sum = 0;
        for (int c = 0; c < classes; c++) {
            sum += Math.exp(logits[from + c] - greatest);
        }
        double logSum = greatest + Math.log(sum);
        for (int c = 0; c < classes; c++) {
            target[c] = logits[from + c] - logSum;
        }
    }

    private static double logMean(double a, double b) {
        double greater = Math.max(a, b);
        return greater + Math.log1p(Math.exp(Math.min(a, b) - greater)) - LOG_2;
    }
}
