package dev.tributary.cli.compare;

import java.util.Arrays;

/// A mean with the half width of its 95 % confidence interval, by Student's t.
///
/// @param halfWidth NaN for a single value
record Interval(double mean, double halfWidth, int count) {
    /// 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; beyond, the normal's.
    private static final double[] T = {
        12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
        2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
        2.052, 2.048, 2.045, 2.042
    };

    private static final double NORMAL = 1.960;

    static Interval of(double[] values) {
        int count = values.length;
        double mean = Arrays.stream(values).average().orElse(Double.NaN);
        if (count < 2) {
            return new Interval(mean, Double.NaN, count);
        }
        double squares = Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum();
        double deviation = Math.sqrt(squares / (count - 1));
        double quantile = count - 1 <= T.length ? T[count - 2] : NORMAL;
        return new Interval(mean, quantile * deviation / Math.sqrt(count), count);
    }
}
