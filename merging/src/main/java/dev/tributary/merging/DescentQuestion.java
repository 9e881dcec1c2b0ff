package dev.tributary.merging;

import java.util.Arrays;
import java.util.List;

/// What a descent asks of its objective: the tasks' losses at these coefficients over all items, or
/// over some with the gradient.
public final class DescentQuestion {
    private final long number;
    private final double[][] coefficients;
    private final List<int[]> items;

    /// A question.
    ///
    /// @param number counted within the descent
    /// @param coefficients by task, then group
    /// @param items by task; empty for the losses alone, over all
    public DescentQuestion(long number, double[][] coefficients, List<int[]> items) {
        this.number = number;
        this.coefficients =
                Arrays.stream(coefficients).map(double[]::clone).toArray(double[][]::new);
        this.items = items.stream().map(int[]::clone).toList();
    }

    /// Its number within the descent.
    public long number() {
        return number;
    }

    /// By task, then group.
    public double[][] coefficients() {
        return Arrays.stream(coefficients).map(double[]::clone).toArray(double[][]::new);
    }

    /// By task; empty for the losses alone.
    public List<int[]> items() {
        return items.stream().map(int[]::clone).toList();
    }

    /// Whether the gradient is asked for, too.
    public boolean wantsGradient() {
        return !items.isEmpty();
    }
}
