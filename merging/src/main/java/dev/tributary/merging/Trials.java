package dev.tributary.merging;

/// How often a merge is tried out before it is written.
///
/// @param values of the scale that are tried
/// @param examples that each is scored on, over all tasks
record Trials(int values, long examples) {
    /// It is written at once.
    static final Trials NONE = new Trials(0, 0);

    boolean any() {
        return values > 0;
    }
}
