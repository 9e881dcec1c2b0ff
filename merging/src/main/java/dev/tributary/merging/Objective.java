package dev.tributary.merging;

import java.util.Arrays;
import java.util.List;

/// What a descent makes small: one loss a task, as functions of the coefficients.
interface Objective {

    /// Every task's loss over all its items.
    ///
    /// @param coefficients by task, then group
    double[] losses(double[][] coefficients);

    /// Every task's loss over some of its items, and the gradient of their mean.
    ///
    /// @param coefficients by task, then group
    /// @param items by task
    /// @param gradient by task, then group; overwritten
    double[] step(double[][] coefficients, List<int[]> items, double[][] gradient);

    /// The mean over tasks.
    static double mean(double[] losses) {
        return Arrays.stream(losses).average().orElseThrow();
    }
}
