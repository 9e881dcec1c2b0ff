package dev.tributary.merging.method;

import java.util.List;
import java.util.Set;

/// RegMean: the weight of a linear layer whose outputs are nearest, in the least squares, to every
/// expert's on its own inputs (arXiv 2212.09849, its closed form); everything else is averaged.
///
/// Solved in the space of task vectors, which gives the same weight where the inputs span the space
/// and leaves the base where they do not.
///
/// @param alpha what the Gram matrices' entries off the diagonal are multiplied by
/// @param perToken whether a Gram matrix is a mean over tokens, as in the official code, or a sum
/// @param ridge added to the diagonal, as a share of its mean
/// @param calibrationItems at most so many inputs of each task
public record RegMean(Setting alpha, boolean perToken, double ridge, int calibrationItems)
        implements MergeMethod {
    private static final Option<Setting> ALPHA =
            Option.number(
                    "alpha",
                    Bound.from("alpha", 0, 1),
                    0.9,
                    "what entries off the diagonal of the Gram matrices are multiplied by; the"
                            + " official settings have 0.1 for some models");
    private static final Option<Boolean> PER_TOKEN =
            Option.flag(
                    "per_token",
                    true,
                    "whether a Gram matrix is divided by its number of tokens; else tasks of longer"
                            + " texts weigh more");
    static final Option<Double> RIDGE =
            Option.real(
                    Bound.from("ridge", 0, 1),
                    1e-4,
                    "added to the diagonal of the summed Gram matrix, as a share of its mean; 0 for"
                            + " the pseudo-inverse");
    private static final Option<Integer> CALIBRATION_ITEMS = Option.calibrationItems(256);

    static final MethodEntry<RegMean> ENTRY =
            new MethodEntry<>(
                            RegMean.class,
                            "regmean",
                            "RegMean",
                            "https://arxiv.org/abs/2212.09849",
                            "its closed form for linear layers",
                            "linear layers θ₀ + (Σ τ_t G_t)(Σ G_t)⁻¹, G_t = Σ x xᵀ; the rest"
                                    + " averaged",
                            values ->
                                    new RegMean(
                                            values.get(ALPHA),
                                            values.get(PER_TOKEN),
                                            values.get(RIDGE),
                                            values.get(CALIBRATION_ITEMS)))
                    .option(ALPHA, RegMean::alpha)
                    .option(PER_TOKEN, RegMean::perToken)
                    .option(RIDGE, RegMean::ridge)
                    .option(CALIBRATION_ITEMS, RegMean::calibrationItems);

    public RegMean {
        ALPHA.require(alpha);
        RIDGE.require(ridge);
        CALIBRATION_ITEMS.require(calibrationItems);
    }

    @Override
    public MethodEntry<RegMean> entry() {
        return ENTRY;
    }

    @Override
    public Needs needs() {
        return Needs.CALIBRATION;
    }

    @Override
    public Set<Statistic> statistics() {
        return Set.of(Statistic.INPUT_GRAM);
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor ->
                GramSolution.covers(tensor, inputs.statistics())
                        ? new GramSolution(tensor.value(alpha), ridge, perToken)
                                .of(tensor, 1, inputs.statistics(), inputs.workers())
                        : MatrixMerge.mean(tensor, 1);
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return GramSolution.cost(tensors, calibrationItems);
    }
}
