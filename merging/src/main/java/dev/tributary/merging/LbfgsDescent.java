package dev.tributary.merging;

import dev.tributary.merging.method.DescentSettings;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/// Moves coefficients down an objective by limited-memory BFGS: on a few items of every task while
/// that teaches something, then on all.
///
/// A merge has few coefficients, its loss is smooth in them, and the gradient is exact, so that a
/// few dozen passes do what takes descent by small steps hundreds. What a few items have told of
/// the curvature is kept when there are more.
final class LbfgsDescent {
    /// Items of each task that are looked at first.
    private static final int FIRST_ITEMS = 16;

    /// The relative fall of the loss over the first items below which it goes on to all.
    private static final double FIRST_IMPROVEMENT = 0.03;

    /// How far a coefficient goes at most in the first step, whose length is a guess, and in
    /// others.
    private static final double FIRST_STEP = 0.1;

    private static final double LONGEST_STEP = 0.6;

    /// The share of the fall that the slope promises which is enough (Armijo's condition).
    private static final double ENOUGH = 1e-4;

    private static final int SHORTENINGS = 4;
    private static final double NEGLIGIBLE_NATS = 1e-9;

    private final CountedObjective objective;
    private final DescentSettings settings;
    private final List<DivMergeTask> tasks;
    private final Progress progress;
    private final String method;
    private final Coefficients start;
    private final CoefficientVector vector;
    private final double[][] table;
    private final double[][] derivatives;
    private final Lbfgs curvature = new Lbfgs();
    private final List<LossPoint> history = new ArrayList<>();
    private int passes;

    /// The coefficients tried, the loss there and its slope.
    private static final class Point {
        private final double[] values;
        private final double[] losses;
        private final double[] gradient;
        private final double loss;

        Point(double[] values, double[] losses, double[] gradient) {
            this.values = values;
            this.losses = losses;
            this.gradient = gradient;
            this.loss = Objective.mean(losses);
        }
    }

    LbfgsDescent(
            Objective objective,
            String method,
            DescentSettings settings,
            List<DivMergeTask> tasks,
            Coefficients start,
            Progress progress) {
        this.objective = new CountedObjective(objective, tasks);
        this.method = method;
        this.settings = settings;
        this.tasks = tasks;
        this.start = start;
        this.progress = progress;
        this.vector = new CoefficientVector(start);
        this.table = vector.newTable();
        this.derivatives = vector.newTable();
    }

    DivMergeResult run() {
        vector.spread(table);
        double[] lossesBefore = objective.losses(table);
        history.add(new LossPoint(0, finite(Objective.mean(lossesBefore))));
        double[] losses = lossesBefore;
        if (settings.maxSteps() > 0) {
            List<int[]> first = items(FIRST_ITEMS);
            List<int[]> all = items(Integer.MAX_VALUE);
            if (first.stream().mapToInt(some -> some.length).sum()
                    < all.stream().mapToInt(some -> some.length).sum()) {
                descend(first, FIRST_IMPROVEMENT, false);
            }
            Point end = descend(all, settings.minImprovement(), true);
            losses = end.losses;
        }
        boolean better = Objective.mean(losses) < Objective.mean(lossesBefore);
        Coefficients best = better ? vector.snapshot() : start;
        return new DivMergeResult(
                start,
                best,
                byTask(lossesBefore),
                byTask(better ? losses : lossesBefore),
                history,
                passes,
                objective.passes());
    }

    /// So many items of every task, the same ones every time, by length, so that little is padded.
    private List<int[]> items(int wanted) {
        return tasks.stream()
                .map(task ->
                        CalibrationSampler.sample(
                                        settings.seed(), task.name(), task.inputs().size(), wanted)
                                .stream()
                                .sorted(Comparator.comparingInt(task.inputs()::length))
                                .mapToInt(Integer::intValue)
                                .toArray())
                .toList();
    }

    /// Goes down until the loss over these items falls by less than a fraction of it.
    private Point descend(List<int[]> items, double improvement, boolean all) {
        Point at = measured(vector.values().clone(), items, all);
        while (passes < settings.maxSteps() && at.loss > NEGLIGIBLE_NATS) {
            double[] direction = curvature.direction(at.gradient);
            double slope = Lbfgs.dot(direction, at.gradient);
            if (!(slope < 0)) {
                curvature.forget();
                direction = curvature.direction(at.gradient);
                slope = Lbfgs.dot(direction, at.gradient);
            }
            double largest = Arrays.stream(direction).map(Math::abs).max().orElse(0);
            if (largest == 0) {
                break;
            }
            double most = curvature.knowsNothing() ? FIRST_STEP : LONGEST_STEP;
            double length = curvature.knowsNothing() ? most / largest : Math.min(1, most / largest);
            Point next = searched(at, direction, slope, length, items, all);
            if (next == at) {
                break;
            }
            double fall = at.loss - next.loss;
            double before = at.loss;
            at = next;
            if (fall < improvement * before) {
                break;
            }
        }
        System.arraycopy(at.values, 0, vector.values(), 0, at.values.length);
        return at;
    }

    /// A point along a direction where the loss has fallen enough; where it started if there is
    /// none.
    private Point searched(
            Point from,
            double[] direction,
            double slope,
            double firstLength,
            List<int[]> items,
            boolean all) {
        double length = firstLength;
        for (int i = 0; i < SHORTENINGS && passes < settings.maxSteps(); i++) {
            double[] values = from.values.clone();
            Lbfgs.add(values, length, direction);
            Point tried = measured(values, items, all);
            if (Double.isFinite(tried.loss)) {
                double[] step = tried.values.clone();
                Lbfgs.add(step, -1, from.values);
                double[] change = tried.gradient.clone();
                Lbfgs.add(change, -1, from.gradient);
                curvature.learn(step, change);
                if (tried.loss <= from.loss + ENOUGH * length * slope) {
                    return tried;
                }
            }
            // The minimum of the parabola through what is known, within bounds.
            double parabola =
                    -slope * length * length / (2 * (tried.loss - from.loss - slope * length));
            length =
                    Double.isFinite(parabola)
                            ? Math.clamp(parabola, 0.1 * length, 0.5 * length)
                            : 0.1 * length;
        }
        return from;
    }

    private Point measured(double[] values, List<int[]> items, boolean all) {
        System.arraycopy(values, 0, vector.values(), 0, values.length);
        vector.spread(table);
        double[] gradient = new double[values.length];
        double[] losses = objective.step(table, items, derivatives).clone();
        vector.collect(derivatives, gradient);
        passes++;
        Point point = new Point(values, losses, gradient);
        if (all) {
            history.add(new LossPoint(passes, point.loss));
        }
        progress.update(
                String.format(Locale.ROOT, "optimising, loss %.5f", point.loss),
                passes,
                settings.maxSteps());
        return point;
    }

    private double finite(double loss) {
        if (!Double.isFinite(loss)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.MERGE_FAILED,
                            method,
                            "the loss is %s where it starts, expected a number".formatted(loss)));
        }
        return loss;
    }

    private SequencedMap<String, Double> byTask(double[] losses) {
        SequencedMap<String, Double> named = new TreeMap<>();
        IntStream.range(0, losses.length).forEach(t -> named.put(tasks.get(t).name(), losses[t]));
        return named;
    }
}
