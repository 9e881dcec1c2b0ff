package dev.tributary.merging.method;

/// How many coefficients a task vector has in DivMerge (arXiv 2509.02108, section 3.1).
public enum Granularity {
    /// One coefficient a task.
    TASK("task"),
    /// One coefficient a task and layer group: embeddings, every layer, the pooler.
    LAYER("layer");

    private final String id;

    Granularity(String id) {
        this.id = id;
    }

    /// The word used in options, recipes and lineage.
    public String id() {
        return id;
    }
}
