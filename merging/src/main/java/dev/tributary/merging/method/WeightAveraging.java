package dev.tributary.merging.method;

import dev.tributary.tensors.Fault;
import java.util.Arrays;
import java.util.List;

/// The mean of the experts, `sum w_t theta_t / sum w_t` (model soups, arXiv 2203.05482). The base
/// has no part in it.
///
/// @param normalize divide by the sum of the experts' weights; without it their plain sum
public record WeightAveraging(boolean normalize) implements MergeMethod {
    private static final Option<Boolean> NORMALIZE =
            Option.flag("normalize", true, "divide by the sum of the weights");

    static final MethodEntry<WeightAveraging> ENTRY =
            new MethodEntry<>(
                            WeightAveraging.class,
                            "weight_averaging",
                            "weight averaging",
                            "https://arxiv.org/abs/2203.05482",
                            "uniform soup",
                            "Σ w_t θ_t / Σ w_t",
                            values -> new WeightAveraging(values.get(NORMALIZE)))
                    .calledInRecipes("linear")
                    .base(BaseRole.TEMPLATE)
                    .weighted()
                    .elementwise()
                    .option(NORMALIZE, WeightAveraging::normalize);

    /// The plain mean.
    public WeightAveraging() {
        this(true);
    }

    @Override
    public MethodEntry<WeightAveraging> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            double[] weights = tensor.weights();
            double divisor = normalize ? Arrays.stream(weights).sum() : 1.0;
            return LinearCombination.ofWeights(
                    tensor, Arrays.stream(weights).map(w -> w / divisor).toArray());
        };
    }

    @Override
    public List<Fault> faults(MergeInputs inputs) {
        return normalize ? WeightSum.faults(inputs) : List.of();
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return MergeCost.passes(tensors, 1, 0);
    }
}
