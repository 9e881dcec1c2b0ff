package dev.tributary.merging;

import dev.tributary.merging.method.Granularity;
import java.util.List;

/// Coefficients as the optimiser moves them: a flat vector with one entry a task, or one a task and
/// group, and the full table by task and group that the weights need.
final class CoefficientVector {
    private final Granularity granularity;
    private final List<String> tasks;
    private final List<String> groups;
    private final double[] values;

    CoefficientVector(Coefficients start) {
        this.granularity = start.granularity();
        this.tasks = start.tasks();
        this.groups = start.groups();
        this.values = start.toArray();
    }

    double[] values() {
        return values;
    }

    /// Brings what lies beyond 0 or 1 back to there.
    void clamp() {
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.clamp(values[i], 0.0, 1.0);
        }
    }

    Coefficients snapshot() {
        return Coefficients.of(granularity, tasks, groups, values);
    }

    double[][] newTable() {
        return new double[tasks.size()][groups.size()];
    }

    /// Spreads the vector over the table.
    void spread(double[][] table) {
        for (int t = 0; t < table.length; t++) {
            for (int g = 0; g < table[t].length; g++) {
                table[t][g] = values[index(t, g)];
            }
        }
    }

    /// Collects a table of derivatives into the vector's: a task's coefficient moves all groups, so
    /// its derivative is their sum.
    void collect(double[][] table, double[] gradient) {
        java.util.Arrays.fill(gradient, 0);
        for (int t = 0; t < table.length; t++) {
            for (int g = 0; g < table[t].length; g++) {
                gradient[index(t, g)] += table[t][g];
            }
        }
    }

    private int index(int task, int group) {
        return switch (granularity) {
            case TASK -> task;
            case LAYER, TENSOR -> task * groups.size() + group;
        };
    }
}
