package dev.tributary.merging;

import java.util.List;

/// An objective that counts what it is asked, in a unit that is the same on every machine.
final class CountedObjective implements Objective {
    /// A pass backwards takes about twice as long as one forwards.
    private static final int BOTH_WAYS = 3;

    private final Objective objective;
    private final long all;
    private long passes;

    CountedObjective(Objective objective, List<DivMergeTask> tasks) {
        this.objective = objective;
        this.all = tasks.stream().mapToLong(task -> task.inputs().size()).sum();
    }

    /// Inputs that went through the merged model forwards; backwards counts as two more.
    long passes() {
        return passes;
    }

    @Override
    public double[] losses(double[][] coefficients) {
        passes += all;
        return objective.losses(coefficients);
    }

    @Override
    public double[] step(double[][] coefficients, List<int[]> items, double[][] gradient) {
        passes += BOTH_WAYS * items.stream().mapToLong(some -> some.length).sum();
        return objective.step(coefficients, items, gradient);
    }
}
