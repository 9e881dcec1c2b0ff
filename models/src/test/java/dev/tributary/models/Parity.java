package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;

/// How close values must be to those of `transformers`: its own distance from double precision is
/// ten times less.
final class Parity {
    private Parity() {}

    static void assertForward(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        assertThat(largestGap(actual, expected))
                .isLessThanOrEqualTo(2e-5 * Math.max(1, largest(expected)));
    }

    static void assertGradient(String name, float[] actual, float[] expected) {
        assertThat(actual).as(name).hasSameSizeAs(expected);
        assertThat(largestGap(actual, expected))
                .as(name)
                .isLessThanOrEqualTo(1e-5 + 1e-4 * largest(expected));
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static double largestGap(float[] actual, float[] expected) {
        double gap = 0;
        for (int i = 0; i < actual.length; i++) {
            double here = Math.abs((double) actual[i] - expected[i]);
            gap = Double.isNaN(here) ? Double.POSITIVE_INFINITY : Math.max(gap, here);
        }
        return gap;
    }
}
