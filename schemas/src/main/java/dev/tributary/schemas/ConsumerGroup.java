package dev.tributary.schemas;

/// The consumer groups of the workers. Their names are part of the contract: an autoscaler looks at
/// their lag, and whoever has published an event can see from their offsets how far they are.
public enum ConsumerGroup {
    /// Merge-workers on [Topic#POOL_EVENTS]. An offset is committed together with the answer to the
    /// event before it, so what lies below it has been answered for good.
    MERGE_WORKERS("tributary-merge-worker"),
    /// Eval-workers on [Topic#EVALUATION_REQUESTS].
    EVALUATION_TASKS("tributary-eval-tasks");

    private final String groupId;

    ConsumerGroup(String groupId) {
        this.groupId = groupId;
    }

    /// Its `group.id`.
    public String groupId() {
        return groupId;
    }
}
