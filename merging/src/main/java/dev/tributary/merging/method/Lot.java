package dev.tributary.merging.method;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/// LOT Merging: the task vector whose layers drift least, in the least squares, from what every
/// expert's layers put out on its own inputs (arXiv 2505.23859): linear layers by equation 9,
/// norms' scales by equation 12 (a mean weighed by squared inputs), shifts and biases by equation
/// 14 (the mean), and the mean also where no inputs are known, as for embeddings.
///
/// @param lambda scale of the merged task vector; 1 is the solution itself, the paper finds 1.0 to
///   1.5 stable and takes 1.2 and 1.5
/// @param ridge added to the diagonal, as a share of its mean; 0 for the paper's pseudo-inverse,
///   which a small ridge comes close to in the space of task vectors
/// @param calibrationItems at most so many inputs of each task
public record Lot(Setting lambda, double ridge, int calibrationItems) implements MergeMethod {
    private static final Option<Setting> LAMBDA =
            Option.number(
                    "lambda",
                    Bound.anyNumber("lambda"),
                    1,
                    "scale of the merged task vector; the paper takes 1.2 and 1.5 for two vision"
                            + " models and finds 1.0 to 1.5 stable");
    private static final Option<Integer> CALIBRATION_ITEMS =
            Option.calibrationItems(64, "; the paper's");

    static final MethodEntry<Lot> ENTRY =
            new MethodEntry<>(
                            Lot.class,
                            "lot",
                            "LOT Merging",
                            "https://arxiv.org/abs/2505.23859",
                            "equations 9, 12 and 14",
                            "θ₀ + λ · (linear layers (Σ τ_t G_t)(Σ G_t)⁺, scales Σ s_t τ_t / Σ s_t"
                                    + " with s_t = Σ x², the rest the mean)",
                            values ->
                                    new Lot(
                                            values.get(LAMBDA),
                                            values.get(RegMean.RIDGE),
                                            values.get(CALIBRATION_ITEMS)))
                    .scale(LAMBDA, Lot::lambda)
                    .option(RegMean.RIDGE, Lot::ridge)
                    .option(CALIBRATION_ITEMS, Lot::calibrationItems);

    public Lot {
        LAMBDA.require(lambda);
        RegMean.RIDGE.require(ridge);
        CALIBRATION_ITEMS.require(calibrationItems);
    }

    @Override
    public MethodEntry<Lot> entry() {
        return ENTRY;
    }

    @Override
    public Needs needs() {
        return Needs.CALIBRATION;
    }

    @Override
    public Set<Statistic> statistics() {
        return Set.of(Statistic.INPUT_GRAM, Statistic.INPUT_SQUARES);
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        Statistics statistics = inputs.statistics();
        return tensor -> {
            double scale = tensor.value(lambda);
            if (GramSolution.covers(tensor, statistics)) {
                return new GramSolution(1, ridge, false)
                        .of(tensor, scale, statistics, inputs.workers());
            }
            List<MemorySegment> squares = new ArrayList<>();
            for (int e = 0; e < inputs.tasks().size(); e++) {
                statistics.of(Statistic.INPUT_SQUARES, e, tensor).ifPresent(squares::add);
            }
            double[] ones = new double[inputs.tasks().size()];
            Arrays.fill(ones, 1);
            return squares.size() == ones.length
                    ? new WeightedMean(tensor, squares, ones, ones, 0, scale)
                    : MatrixMerge.mean(tensor, scale);
        };
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return GramSolution.cost(tensors, calibrationItems);
    }
}
