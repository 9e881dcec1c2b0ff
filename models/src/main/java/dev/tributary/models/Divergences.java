package dev.tributary.models;

/// How far apart two probability distributions over the same labels are, in nats.
public final class Divergences {
    private Divergences() {}

    /// The Jensen-Shannon divergence (Lin 1991, eq. 4.1, equal weights) of two rows of
    /// log-probabilities: 0 where they agree, ln 2 where they share nothing.
    ///
    /// @param p log-probabilities, one row from `offset`
    /// @param q likewise, at the same place
    public static double jensenShannon(float[] p, float[] q, int offset, int classes) {
        double sum = 0;
        for (int i = offset; i < offset + classes; i++) {
            double larger = Math.max(p[i], q[i]);
            if (larger == Double.NEGATIVE_INFINITY) {
                continue;
            }
            double logMean =
                    larger + Math.log(0.5 * (Math.exp(p[i] - larger) + Math.exp(q[i] - larger)));
            sum += 0.5 * (term(p[i], logMean) + term(q[i], logMean));
        }
        return Math.max(0, sum);
    }

    /// The mean Jensen-Shannon divergence over rows of log-probabilities.
    public static double meanJensenShannon(float[] p, float[] q, int classes) {
        if (p.length != q.length || p.length == 0 || p.length % classes != 0) {
            throw new IllegalArgumentException(
                    "%d against %d log-probabilities of %d labels"
                            .formatted(p.length, q.length, classes));
        }
        int rows = p.length / classes;
        double sum = 0;
        for (int offset = 0; offset < p.length; offset += classes) {
            sum += jensenShannon(p, q, offset, classes);
        }
        return sum / rows;
    }

    private static double term(double logProbability, double logMean) {
        return logProbability == Double.NEGATIVE_INFINITY
                ? 0
                : Math.exp(logProbability) * (logProbability - logMean);
    }
}
