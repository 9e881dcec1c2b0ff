package dev.tributary.merging.method;

/// Over which entries TIES looks for the largest ones it keeps.
public enum TrimScope {
    /// Over the whole task vector at once, as the TIES paper does (arXiv 2306.01708, section 4).
    GLOBAL("global"),
    /// In every tensor by itself, as mergekit does.
    PER_TENSOR("per_tensor");

    private final String id;

    TrimScope(String id) {
        this.id = id;
    }

    /// The word used in options, recipes and lineage.
    public String id() {
        return id;
    }
}
