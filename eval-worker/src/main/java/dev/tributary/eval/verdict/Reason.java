package dev.tributary.eval.verdict;

import dev.tributary.eval.verdict.Judgement.Pooled;
import dev.tributary.eval.verdict.TaskComparison.Compared;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/// Words a verdict: which one, because of what, and with which numbers.
final class Reason {

    private Reason() {}

    static String of(
            Verdict verdict,
            boolean first,
            List<TaskComparison> tasks,
            Optional<Pooled> pooled,
            RegressionPolicy policy) {
        String together = pooled.map(Reason::together).orElse("nothing could be paired");
        return switch (verdict) {
            case REGRESSED ->
                    "regressed. "
                            + (pooled.map(Pooled::regressed).orElse(false)
                                    ? "As a whole: " + together + ". "
                                    : "")
                            + listed(tasks, TaskComparison::regressed);
            case INCONCLUSIVE ->
                    "inconclusive (more than %s would have to be lost to show): "
                                    .formatted(policy.largestDetectableDrop())
                            + listed(tasks, policy::inconclusive)
                            + " All together: "
                            + together
                            + ".";
            case PASS ->
                    first
                            ? "passes as the first of its tasks: nothing to compare with."
                            : "passes. All together: " + together + ". " + hardest(tasks);
        };
    }

    private static String together(Pooled pooled) {
        return String.format(
                Locale.ROOT,
                "%d lost and %d gained of %d items (drop %.3f, p = %.2g; a drop of %.3f would have shown)",
                pooled.outcome().lost(),
                pooled.outcome().gained(),
                pooled.outcome().items(),
                pooled.outcome().drop(),
                pooled.pValue(),
                pooled.smallestDetectableDrop());
    }

    private static String listed(List<TaskComparison> tasks, Predicate<TaskComparison> which) {
        return tasks.stream()
                .filter(which)
                .map(TaskComparison::sentence)
                .collect(Collectors.joining("; ", "", "."));
    }

    /// The comparison closest to a regression.
    private static String hardest(List<TaskComparison> tasks) {
        return tasks.stream()
                .filter(task -> task.standing() instanceof Compared)
                .min((a, b) ->
                        Double.compare(
                                ((Compared) a.standing()).pValue(),
                                ((Compared) b.standing()).pValue()))
                .map(task -> "Closest to a fall is " + task.sentence() + ".")
                .orElse("");
    }
}
