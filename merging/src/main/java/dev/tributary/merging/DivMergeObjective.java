package dev.tributary.merging;

import dev.tributary.merging.method.OutputLoss;
import dev.tributary.models.RunningModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A loss of the merged model's answers as a function of the coefficients, with its gradient: with
/// the divergence from the experts' answers DivMerge's objective (arXiv 2509.02108, equations 3 and
/// 4), with the entropy AdaMerging's (arXiv 2310.02575).
///
/// The paper minimises the sum over tasks; values and gradients here are the mean over tasks, which
/// is the same up to a constant factor that Adam cancels.
final class DivMergeObjective implements Objective {
    private static final int ROWS_PER_BATCH = 16;

    private final RunningModel model;
    private final TaskVectors vectors;
    private final List<DivMergeTask> tasks;
    private final OutputLoss loss;
    private final long bytes;

    /// @param tasks in the plan's order of members
    DivMergeObjective(
            RunningModel model, TaskVectors vectors, List<DivMergeTask> tasks, OutputLoss loss) {
        this(model, vectors, tasks, loss, model.passBytes());
    }

    /// @param bytes what a way back may need of memory beside the model and its gradients
    DivMergeObjective(
            RunningModel model,
            TaskVectors vectors,
            List<DivMergeTask> tasks,
            OutputLoss loss,
            long bytes) {
        this.model = model;
        this.vectors = vectors;
        this.tasks = tasks;
        this.loss = loss;
        this.bytes = bytes;
    }

    @Override
    public double[] losses(double[][] coefficients) {
        return losses(0, tasks.size(), coefficients);
    }

    /// The losses of some of the tasks over all their items.
    ///
    /// @param from the first of them
    /// @param to the one after the last
    double[] losses(int from, int to, double[][] coefficients) {
        vectors.materialise(coefficients);
        return tasks.subList(from, to).stream().mapToDouble(this::loss).toArray();
    }

    private double loss(DivMergeTask task) {
        CalibrationInputs inputs = task.inputs();
        double sum = 0;
        double weights = 0;
        for (int[] items : inputs.byLength(ROWS_PER_BATCH)) {
            for (int[] part : model.parts(inputs, items, bytes)) {
                double weight = inputs.weight(part);
                sum +=
                        weight
                                * model.loss(
                                        task.head(),
                                        inputs.batch(part),
                                        task.loss(loss, part, 0, vectors.workers()));
                weights += weight;
            }
        }
        return sum / weights;
    }

    @Override
    public double[] step(double[][] coefficients, List<int[]> items, double[][] gradient) {
        return step(0, tasks.size(), coefficients, items, gradient);
    }

    /// The losses of some of the tasks over some of their items, and what these tasks add to the
    /// gradient of the mean over all.
    ///
    /// @param from the first of them
    /// @param to the one after the last
    /// @param items of all tasks
    double[] step(
            int from, int to, double[][] coefficients, List<int[]> items, double[][] gradient) {
        vectors.materialise(coefficients);
        model.zeroGradients();
        List<RunningModel.LossTerm> terms = new ArrayList<>(to - from);
        List<Part> parts = new ArrayList<>(to - from);
        for (int t = from; t < to; t++) {
            CalibrationInputs inputs = tasks.get(t).inputs();
            double all = inputs.weight(items.get(t));
            for (int[] part : model.parts(inputs, items.get(t), bytes)) {
                double share = inputs.weight(part) / all;
                parts.add(new Part(t - from, share));
                terms.add(
                        new RunningModel.LossTerm(
                                tasks.get(t).head(),
                                inputs.batch(part),
                                tasks.get(t)
                                        .loss(
                                                loss,
                                                part,
                                                share / tasks.size(),
                                                vectors.workers())));
            }
        }
        double[] partLosses = model.backward(terms);
        double[] losses = new double[to - from];
        for (int i = 0; i < partLosses.length; i++) {
            losses[parts.get(i).task()] += parts.get(i).share() * partLosses[i];
        }
        for (double[] ofTask : gradient) {
            Arrays.fill(ofTask, 0);
        }
        vectors.gradient(gradient);
        return losses;
    }

    int tasks() {
        return tasks.size();
    }

    /// Inputs of a task that go through the model together.
    ///
    /// @param task counted from the first that is asked for
    /// @param share of the task's loss
    private record Part(int task, double share) {}
}
