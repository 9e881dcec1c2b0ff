package dev.tributary.merging.method;

import java.util.List;

/// Takes tensors as they are, times a factor: one model, or layers of several models stacked into a
/// deeper or shallower one (mergekit's passthrough; depth up-scaling, arXiv 2312.15166).
///
/// @param scale factor of a model's tensors
/// @param slices the layers of the new model; none for one model as it is
public record Passthrough(Setting scale, LayerStack slices) implements MergeMethod {
    /// What a slice's own factor is called.
    public static final String SCALE_NAME = "scale";

    private static final Option<Setting> SCALE =
            Option.number(
                            SCALE_NAME,
                            Bound.anyNumber(SCALE_NAME),
                            1,
                            "factor of a model's tensors; 0 for some tensors takes them out of a"
                                    + " residual stream")
                    .perExpert();

    /// The layers of the new model.
    public static final Option<LayerStack> SLICES =
            Option.value(
                    "slices",
                    LayerStack.class,
                    "a JSON list of {model, layers: [from, to], scale}",
                    LayerStack::parse,
                    LayerStack::text,
                    LayerStack.NONE,
                    "layers of the new model, from the bottom to the top");

    static final MethodEntry<Passthrough> ENTRY =
            new MethodEntry<>(
                            Passthrough.class,
                            "passthrough",
                            "passthrough",
                            "https://arxiv.org/abs/2312.15166",
                            "depth up-scaling",
                            "scale · θ, or layers of several θ_t stacked and numbered anew",
                            values -> new Passthrough(values.get(SCALE), values.get(SLICES)))
                    .base(BaseRole.TEMPLATE)
                    .atMost(1)
                    .option(SCALE, Passthrough::scale)
                    .option(SLICES, Passthrough::slices);

    public Passthrough {
        scale.values().forEach(Bound.anyNumber(SCALE_NAME)::require);
    }

    @Override
    public MethodEntry<Passthrough> entry() {
        return ENTRY;
    }

    @Override
    public LayerStack stack() {
        return slices;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor ->
                LinearCombination.ofWeights(tensor, new double[] {tensor.value(0, SCALE, scale)});
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return MergeCost.passes(tensors, 1, 0);
    }
}
