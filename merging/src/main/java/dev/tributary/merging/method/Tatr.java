package dev.tributary.merging.method;

import java.util.List;
import java.util.Set;

/// Task arithmetic in the trust region: entries in which task vectors point where another task's
/// loss is sensitive are left at the base (arXiv 2501.15065; see [TrustRegion]).
///
/// @param lambda scale of the sum of what is left of the task vectors
/// @param removed share of all entries that is left out
/// @param zeroShot take the task vectors' magnitudes in the place of the gradients': no data then
/// @param labels whose labels the loss is taken of
/// @param calibrationItems at most so many examples of each task
public record Tatr(
        Setting lambda, double removed, boolean zeroShot, Labels labels, int calibrationItems)
        implements MergeMethod {
    private static final Option<Double> REMOVED =
            Option.real(
                    Bound.from("removed", 0, 1),
                    0.01,
                    "share of all entries, those of the largest conflict, that stay at the base");
    private static final Option<Boolean> ZERO_SHOT =
            Option.flag(
                    "zero_shot",
                    false,
                    "take the task vectors' magnitudes in the place of the gradients': no data is"
                            + " needed");
    private static final Option<Labels> LABELS =
            Option.choice(
                            "labels",
                            Labels.class,
                            Labels::id,
                            Labels.PREDICTED,
                            "where the labels of the loss come from: each expert's own answers, or"
                                    + " training examples")
                    .inRecipes(Labels.GIVEN);
    private static final Option<Integer> CALIBRATION_ITEMS =
            Option.whole(
                    Bound.from("calibration_items", 1, 100_000),
                    128,
                    "at most so many examples of each task");

    static final MethodEntry<Tatr> ENTRY =
            new MethodEntry<>(
                            Tatr.class,
                            "tatr",
                            "TATR",
                            "https://arxiv.org/abs/2501.15065",
                            "its trust region",
                            "θ₀ + λ Σ w_t τ_t, left at θ₀ where the magnitudes of ∇L_j and τ_i, i ≠ j, have"
                                    + " the largest products",
                            values ->
                                    new Tatr(
                                            values.get(TaskArithmetic.LAMBDA),
                                            values.get(REMOVED),
                                            values.get(ZERO_SHOT),
                                            values.get(LABELS),
                                            values.get(CALIBRATION_ITEMS)))
                    .weighted()
                    .scale(TaskArithmetic.LAMBDA, Tatr::lambda)
                    .option(REMOVED, Tatr::removed)
                    .option(ZERO_SHOT, Tatr::zeroShot)
                    .option(LABELS, Tatr::labels)
                    .option(CALIBRATION_ITEMS, Tatr::calibrationItems);

    public Tatr {
        TaskArithmetic.LAMBDA.require(lambda);
        REMOVED.require(removed);
        CALIBRATION_ITEMS.require(calibrationItems);
    }

    @Override
    public MethodEntry<Tatr> entry() {
        return ENTRY;
    }

    /// Sums are rounded once since version 2.
    @Override
    public String version() {
        return "2";
    }

    @Override
    public Needs needs() {
        return region().sensitivity().needs();
    }

    @Override
    public Set<Statistic> statistics() {
        return region().statistics();
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return region().within(inputs, sum());
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return region().cost(tensors, sum().cost(tensors));
    }

    private TaskArithmetic sum() {
        return new TaskArithmetic(lambda, false);
    }

    private TrustRegion region() {
        Sensitivity ofLabels = labels == Labels.GIVEN ? Sensitivity.GIVEN : Sensitivity.PREDICTED;
        return new TrustRegion(
                zeroShot ? Sensitivity.ZERO_SHOT : ofLabels, removed, calibrationItems);
    }
}
