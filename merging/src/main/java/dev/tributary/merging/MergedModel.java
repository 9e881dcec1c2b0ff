package dev.tributary.merging;

import dev.tributary.merging.method.Statistics;
import dev.tributary.models.Head;
import dev.tributary.models.RunningModel;
import org.jspecify.annotations.Nullable;

/// A merge that runs without ever having been a file: a model in memory filled by any method, with
/// every task's own head.
///
/// Made for comparing methods: [#fill] puts another merge of the same base into the same memory.
public final class MergedModel implements AutoCloseable {
    private final RunningModel model;
    private final Heads heads;

    private MergedModel(RunningModel model, Heads heads) {
        this.model = model;
        this.heads = heads;
    }

    /// Merges into memory.
    ///
    /// @param plan of an architecture that can be run here; its checkpoints must stay open
    /// @param coefficients DivMerge's; null for the other methods
    public static MergedModel of(MergePlan plan, @Nullable Coefficients coefficients) {
        return of(plan, coefficients, null);
    }

    /// Merges into memory by a method that may have asked for statistics.
    ///
    /// @param statistics what was gathered for the plan; null for methods that ask for none
    public static MergedModel of(
            MergePlan plan, @Nullable Coefficients coefficients, @Nullable Statistics statistics) {
        RunningModel model = RunningModel.open(plan.base());
        try {
            MergedModel merged = new MergedModel(model, Heads.open(model, plan));
            merged.fill(plan, coefficients, statistics);
            return merged;
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /// Replaces the merge by another one of the same members: another method, other coefficients.
    public void fill(MergePlan plan, @Nullable Coefficients coefficients) {
        fill(plan, coefficients, null);
    }

    /// Replaces the merge by one of a method that may have asked for statistics.
    public void fill(
            MergePlan plan, @Nullable Coefficients coefficients, @Nullable Statistics statistics) {
        MergeExecutor.execute(
                plan, coefficients, statistics, tensor -> model.weights(tensor.name()));
    }

    /// The merged trunk.
    public RunningModel model() {
        return model;
    }

    /// A task's own head, to be used with the model; null where it generates.
    public @Nullable Head head(String task) {
        return heads.of(task);
    }

    @Override
    public void close() {
        heads.close();
        model.close();
    }
}
