package dev.tributary.merging.method;

/// Where the labels come from that a method learns from.
public enum Labels {
    /// The answers of each task's own expert; inputs need no labels then.
    PREDICTED("predicted"),
    /// The labels of training examples.
    GIVEN("given");

    private final String id;

    Labels(String id) {
        this.id = id;
    }

    /// The word used in options, recipes and lineage.
    public String id() {
        return id;
    }
}
