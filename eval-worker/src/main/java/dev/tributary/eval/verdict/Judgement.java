package dev.tributary.eval.verdict;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/// A verdict with everything it rests on.
///
/// @param verdict what is concluded
/// @param first whether there was nothing to compare with
/// @param tasks every task, in order of name
/// @param pooled all paired items together; empty when none could be paired
/// @param sentence the verdict and its reason
public record Judgement(
        Verdict verdict,
        boolean first,
        List<TaskComparison> tasks,
        Optional<Pooled> pooled,
        String sentence) {

    public Judgement {
        tasks = List.copyOf(tasks);
    }

    /// All paired items of all tasks together.
    ///
    /// @param outcome what became of the items
    /// @param pValue one-sided mid-p
    /// @param smallestDetectableDrop the smallest drop that would have shown with 80 % power
    /// @param regressed whether the pool as a whole counts as a regression
    public record Pooled(
            PairedOutcome outcome,
            double pValue,
            double smallestDetectableDrop,
            boolean regressed) {}

    /// Normalised average performance: the mean retention over the tasks that have one, as DivMerge
    /// reports it (arXiv 2509.02108, section 4).
    public OptionalDouble anp() {
        return tasks.stream()
                .map(TaskComparison::result)
                .filter(TaskResult.Scored.class::isInstance)
                .map(TaskResult.Scored.class::cast)
                .map(TaskResult.Scored::retention)
                .filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble)
                .average();
    }
}
