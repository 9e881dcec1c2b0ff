package dev.tributary.merging.method;

/// How coefficients are moved down a loss.
public enum Solver {
    /// Adam on a few inputs a step (arXiv 1412.6980), as in the paper.
    ADAM("adam"),
    /// Limited-memory BFGS (Nocedal and Wright, Numerical Optimization, algorithm 7.5), on some of
    /// the inputs first and then on all: few passes, as the loss is smooth and its gradient exact.
    LBFGS("lbfgs");

    private final String id;

    Solver(String id) {
        this.id = id;
    }

    /// The word used in options, recipes and lineage.
    public String id() {
        return id;
    }
}
