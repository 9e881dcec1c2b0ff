package dev.tributary.cli.compare;

import java.util.Arrays;

/// An axis for scores, from one twentieth to another.
record Axis(double low, double high) {
    private static final double STEPS = 20;

    /// One that all these values lie on.
    static Axis over(double... values) {
        double least = Arrays.stream(values).filter(Double::isFinite).min().orElse(0);
        double most = Arrays.stream(values).filter(Double::isFinite).max().orElse(1);
        double low = Math.floor(least * STEPS) / STEPS;
        return new Axis(low, Math.max(low + 1 / STEPS, Math.ceil(most * STEPS) / STEPS));
    }

    /// Where a value lies, from 0 to 1.
    double place(double value) {
        return (value - low) / (high - low);
    }
}
