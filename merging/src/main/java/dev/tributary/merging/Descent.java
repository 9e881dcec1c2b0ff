package dev.tributary.merging;

import dev.tributary.merging.method.DescentSettings;
import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.TreeMap;

/// Moves coefficients down an objective with Adam, a few items of every task a step, and remembers
/// the best ones by the loss over all items.
final class Descent {
    /// A mean divergence below this is no difference: stop.
    private static final double NEGLIGIBLE_NATS = 1e-9;

    private final CountedObjective objective;
    private final LearnsCoefficients method;
    private final DescentSettings settings;
    private final Pace pace;
    private final List<DivMergeTask> tasks;
    private final Progress progress;
    private final CalibrationSampler sampler;
    private final List<LossPoint> history = new ArrayList<>();

    private double[] bestLosses = {};
    private Coefficients best;
    private double plateau = Double.POSITIVE_INFINITY;
    private int withoutImprovement;

    Descent(
            Objective objective,
            LearnsCoefficients method,
            List<DivMergeTask> tasks,
            Coefficients start,
            Pace pace,
            Progress progress) {
        this.objective = new CountedObjective(objective, tasks);
        this.method = method;
        this.settings = method.descent();
        this.pace = pace;
        this.tasks = tasks;
        this.progress = progress;
        this.sampler = new CalibrationSampler(settings.seed(), settings.samplesPerStep());
        this.best = start;
    }

    DivMergeResult run() {
        Coefficients start = best;
        CoefficientVector vector = new CoefficientVector(start);
        double[][] table = vector.newTable();
        double[][] derivatives = vector.newTable();
        double[] gradient = new double[vector.values().length];
        Adam adam = new Adam(gradient.length);
        measure(0, vector, table);
        double[] lossesBefore = bestLosses;
        int step = 0;
        while (step < pace.steps() && !finished()) {
            vector.spread(table);
            objective.step(table, items(step), derivatives);
            vector.collect(derivatives, gradient);
            double learningRate =
                    pace.rate()
                            * settings.learningRate()
                            * settings.decay().factor(step, pace.steps());
            adam.step(learningRate, vector.values(), gradient);
            if (method.clamped()) {
                vector.clamp();
            }
            step++;
            if (step % pace.evaluateEvery() == 0 || step == pace.steps()) {
                measure(step, vector, table);
            }
            report(step);
        }
        return new DivMergeResult(
                start,
                best,
                byTask(lossesBefore),
                byTask(bestLosses),
                history,
                step,
                objective.passes());
    }

    private boolean finished() {
        return withoutImprovement >= settings.patience()
                || Objective.mean(bestLosses) < NEGLIGIBLE_NATS;
    }

    private List<int[]> items(int step) {
        return tasks.stream()
                .map(task ->
                        sampler.items(
                                task.name(), task.inputs().size(), task.inputs()::length, step))
                .toList();
    }

    private void measure(int step, CoefficientVector vector, double[][] table) {
        vector.spread(table);
        double[] losses = objective.losses(table);
        double loss = Objective.mean(losses);
        if (!Double.isFinite(loss)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.MERGE_FAILED,
                            method.id(),
                            "the loss became %s after %d steps: learning_rate %s too large?"
                                    .formatted(loss, step, settings.learningRate())));
        }
        history.add(new LossPoint(step, loss));
        if (step == 0 || loss < Objective.mean(bestLosses)) {
            bestLosses = losses;
            best = vector.snapshot();
        }
        if (loss < plateau * (1 - settings.minImprovement())) {
            plateau = loss;
            withoutImprovement = 0;
        } else {
            withoutImprovement++;
        }
    }

    private void report(int step) {
        progress.update(
                String.format(Locale.ROOT, "optimising, loss %.5f", Objective.mean(bestLosses)),
                step,
                pace.steps());
    }

    private SequencedMap<String, Double> byTask(double[] losses) {
        SequencedMap<String, Double> named = new TreeMap<>();
        for (int t = 0; t < losses.length; t++) {
            named.put(tasks.get(t).name(), losses[t]);
        }
        return named;
    }
}
