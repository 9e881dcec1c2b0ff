package dev.tributary.merging.method;

/// What stands for how much a task's loss depends on an entry, where a trust region is drawn (arXiv
/// 2501.15065).
public enum Sensitivity {
    /// Nothing: there is no region, every entry is merged.
    NONE("none"),
    /// The magnitude of the task's own task vector: no data is needed.
    ZERO_SHOT("zero_shot"),
    /// The magnitude of the loss' gradient, of the labels the task's expert predicts.
    PREDICTED("predicted"),
    /// The magnitude of the loss' gradient, of the labels of training examples.
    GIVEN("given");

    private final String id;

    Sensitivity(String id) {
        this.id = id;
    }

    /// The word used in options, recipes and lineage.
    public String id() {
        return id;
    }

    /// What has to be known for it.
    MergeMethod.Needs needs() {
        return switch (this) {
            case NONE, ZERO_SHOT -> MergeMethod.Needs.NOTHING;
            case PREDICTED -> MergeMethod.Needs.CALIBRATION;
            case GIVEN -> MergeMethod.Needs.LABELS;
        };
    }
}
