package dev.tributary.tensors;

/// Exponentials and logarithms of many numbers at once, to two units in the last place, the same
/// bits on every processor.
public final class Exponentials {
    /// What is less counts as this: its exponential is the least that loses no digits, 3e-308.
    static final double LEAST = -708;

    private Exponentials() {}

    /// `target[i] = e^source[from + i]`, of numbers up to 709; a NaN stays one.
    public static void exp(double[] source, int from, double[] target, int count) {
        VectorExponentials.exp(source, from, target, count);
    }

    /// `target[i] = ln source[from + i]`, of finite numbers; what is less than 2.2e-308 counts as
    /// that.
    public static void log(double[] source, int from, double[] target, int count) {
        VectorExponentials.log(source, from, target, count);
    }
}
