package dev.tributary.merging.method;

import java.util.List;

/// Spherical linear interpolation of two task vectors, or of two models, by their weights, tensor
/// by tensor: mergekit's NuSLERP. It differs from `slerp` in working on task vectors, and in taking
/// a straight line only where the two are exactly parallel.
///
/// @param center what is interpolated
public record NuSlerp(SphereCenter center) implements MergeMethod {
    static final MethodEntry<NuSlerp> ENTRY =
            new MethodEntry<>(
                            NuSlerp.class,
                            "nuslerp",
                            "NuSLERP",
                            "https://github.com/arcee-ai/mergekit/blob/main/docs/merge_methods.md",
                            "by two weights",
                            "θ₀ + sin((1−t)α)/sin α · τ₁ + sin(tα)/sin α · τ₂, t = w₂/(w₁+w₂)",
                            values -> new NuSlerp(values.get(SphereCenter.OPTION)))
                    .base(BaseRole.OPTIONAL)
                    .weighted()
                    .atMost(2)
                    .option(SphereCenter.OPTION, NuSlerp::center)
                    .fixed("nuslerp_flatten", "true")
                    .fixed("nuslerp_row_wise", "false");

    private static final double PARALLEL = 1e-8;
    private static final double NO_LENGTH = 1e-7;

    @Override
    public MethodEntry<NuSlerp> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            if (tensor.experts().size() == 1) {
                return InnerProducts.combination(tensor, center, new double[] {1});
            }
            InnerProducts products = InnerProducts.of(tensor, center, inputs.workers());
            return InnerProducts.combination(
                    tensor, center, coefficients(products, Slerp.position(tensor.weights())));
        };
    }

    private static double[] coefficients(InnerProducts products, double t) {
        double lengths =
                Math.max(products.norm(0), NO_LENGTH) * Math.max(products.norm(1), NO_LENGTH);
        double cosine = products.get(0, 1) / lengths;
        double angle = Math.acos(Math.clamp(cosine, -1.0, 1.0));
        double sine = Math.sin(angle);
        return Math.abs(sine) < PARALLEL
                ? new double[] {1 - t, t}
                : new double[] {Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine};
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return InnerProducts.cost(tensors);
    }
}
