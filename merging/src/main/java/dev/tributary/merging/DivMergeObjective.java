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
        vectors.materialise(coefficients);
        return tasks.stream().mapToDouble(this::loss).toArray();
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
        vectors.materialise(coefficients);
        model.zeroGradients();
        List<RunningModel.LossTerm> terms = new ArrayList<>(tasks.size());
        List<Part> parts = new ArrayList<>(tasks.size());
        for (int t = 0; t < tasks.size(); t++) {
            CalibrationInputs inputs = tasks.get(t).inputs();
            double all = inputs.weight(items.get(t));
            for (int[] part : model.parts(inputs, items.get(t), bytes)) {
                double share = inputs.weight(part) / all;
                parts.add(new Part(t, share));
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
        double[] losses = new double[tasks.size()];
        for (int i = 0; i < partLosses.length; i++) {
            losses[parts.get(i).task()] += parts.get(i).share() * partLosses[i];
        }
        for (double[] ofTask : gradient) {
            Arrays.fill(ofTask, 0);
        }
        vectors.gradient(gradient);
        return losses;
    }

    /// Inputs of a task that go through the model together.
    ///
    /// @param share of the task's loss
    private record Part(int task, double share) {}
}
