package dev.tributary.merging.method;

/// How many coefficients a task vector has: DivMerge (arXiv 2509.02108, section 3.1) has one a task
/// or one a task and layer; the official code of AdaMerging (arXiv 2310.02575) calls one a task and
/// tensor layer-wise.
public enum Granularity {
    /// One coefficient a task.
    TASK("task"),
    /// One coefficient a task and layer group: embeddings, every layer, the pooler.
    LAYER("layer"),
    /// One coefficient a task and merged tensor.
    TENSOR("tensor");

    private final String id;

    Granularity(String id) {
        this.id = id;
    }

    /// The word used in options, recipes and lineage.
    public String id() {
        return id;
    }
}
