package dev.tributary.merging.method;

/// How the optimiser's step changes over a descent.
public enum Decay {
    /// Not at all, as in the paper.
    NONE("none") {
        @Override
        public double factor(int step, int steps) {
            return 1;
        }
    },
    /// From the whole step to none along half a cosine, so that the noise of small batches dies
    /// down at the end.
    COSINE("cosine") {
        @Override
        public double factor(int step, int steps) {
            return 0.5 * (1 + Math.cos(Math.PI * step / steps));
        }
    };

    private final String id;

    Decay(String id) {
        this.id = id;
    }

    /// The word used in options, recipes and lineage.
    public String id() {
        return id;
    }

    /// What the learning rate is multiplied with.
    ///
    /// @param step counted from 0
    /// @param steps how many there are at most
    public abstract double factor(int step, int steps);
}
