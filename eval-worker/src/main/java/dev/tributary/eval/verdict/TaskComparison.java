package dev.tributary.eval.verdict;

import java.util.Locale;

/// How one task of a generation stands beside the champion.
///
/// @param result the generation's own result
/// @param standing what the comparison gave
public record TaskComparison(TaskResult result, Standing standing) {

    public sealed interface Standing {}

    /// Paired item by item.
    ///
    /// @param championScore score of the champion on the same items
    /// @param outcome what became of the items
    /// @param pValue one-sided mid-p of this task alone
    /// @param adjustedPValue the same, adjusted for the number of tasks compared
    /// @param smallestDetectableDrop the smallest drop that would have shown with 80 % power
    /// @param regressed whether this task counts as a regression
    public record Compared(
            double championScore,
            PairedOutcome outcome,
            double pValue,
            double adjustedPValue,
            double smallestDetectableDrop,
            boolean regressed)
            implements Standing {}

    /// The champion does not have this task.
    public record NewTask() implements Standing {}

    /// The champion answered other items.
    public record OtherItems(String championItemsDigest) implements Standing {}

    /// One of the two has no score.
    public record NotScored(String code, String why) implements Standing {}

    public String task() {
        return result.task();
    }

    public boolean regressed() {
        return standing instanceof Compared compared && compared.regressed();
    }

    /// The numbers behind this comparison, in words.
    public String sentence() {
        return switch (standing) {
            case Compared c ->
                    String.format(
                            Locale.ROOT,
                            "%s: %d lost and %d gained of %d items (drop %.3f, p = %.2g, adjusted %.2g; a drop of %.3f would have shown)",
                            task(),
                            c.outcome.lost(),
                            c.outcome.gained(),
                            c.outcome.items(),
                            c.outcome.drop(),
                            c.pValue,
                            c.adjustedPValue,
                            c.smallestDetectableDrop);
            case NewTask _ -> "%s: new, nothing to compare with".formatted(task());
            case OtherItems _ ->
                    "%s: the champion was scored on other items, so the two cannot be paired"
                            .formatted(task());
            case NotScored n -> "%s: no score (%s: %s)".formatted(task(), n.code, n.why);
        };
    }
}
