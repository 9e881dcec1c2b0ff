package dev.tributary.eval.verdict;

/// What the scores of a generation say about it, beside the generation being served.
public enum Verdict {
    /// No worse, as far as the items can tell, and they can tell enough. Also when there is nothing
    /// to compare with.
    PASS,
    /// Worse, on a task or on all together.
    REGRESSED,
    /// Not shown to be worse, but something could not be compared or would hardly have shown.
    INCONCLUSIVE
}
