package dev.tributary.tensors;

/// Told how far a long piece of work has come. Called from the thread that works; must return
/// quickly. Throwing is how a listener gives the work up: it ends with that exception.
@FunctionalInterface
public interface Progress {
    /// Tells nobody.
    Progress SILENT = (_, _, _) -> {};

    /// Says that `done` of `total` units of a stage are finished.
    void update(String stage, long done, long total);
}
