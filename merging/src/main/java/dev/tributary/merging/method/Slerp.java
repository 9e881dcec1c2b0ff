package dev.tributary.merging.method;

import java.util.List;

/// Spherical linear interpolation between two models, tensor by tensor (Shoemake, 1985, Animating
/// Rotation with Quaternion Curves): `sin((1-t)a)/sin(a) theta_1 + sin(t a)/sin(a) theta_2` with
/// the angle `a` between them, and a straight line where they are almost parallel.
///
/// `t` is the second one's share of the weights: with equal weights the merge lies in the middle.
/// One model alone is itself. As in mergekit the vectors themselves are combined, not their
/// directions.
public record Slerp() implements MergeMethod {
    static final MethodEntry<Slerp> ENTRY =
            new MethodEntry<>(
                            Slerp.class,
                            "slerp",
                            "SLERP",
                            "https://doi.org/10.1145/325165.325242",
                            "great arc interpolation",
                            "sin((1−t)α)/sin α · θ₁ + sin(tα)/sin α · θ₂, t = w₂/(w₁+w₂)",
                            values -> new Slerp())
                    .base(BaseRole.ENDPOINT)
                    .weighted()
                    .atMost(2);

    /// Above this cosine the vectors count as parallel.
    private static final double PARALLEL = 0.9995;

    private static final double NO_WEIGHT = 1e-6;
    private static final double NO_LENGTH = 1e-8;

    @Override
    public MethodEntry<Slerp> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            if (tensor.experts().size() == 1) {
                return LinearCombination.ofWeights(tensor, new double[] {1});
            }
            InnerProducts products = InnerProducts.of(tensor, SphereCenter.ZERO, inputs.workers());
            return LinearCombination.ofWeights(
                    tensor, coefficients(products, position(tensor.weights())));
        };
    }

    /// How far from the first to the second.
    static double position(double[] weights) {
        double sum = weights[0] + weights[1];
        return Math.abs(sum) < NO_WEIGHT ? 0.5 : weights[1] / sum;
    }

    static double[] coefficients(InnerProducts products, double t) {
        double lengths = length(products, 0) * length(products, 1);
        double cosine = products.get(0, 1) / lengths;
        if (Math.abs(cosine) > PARALLEL) {
            return new double[] {1 - t, t};
        }
        double angle = Math.acos(cosine);
        double sine = Math.sin(angle);
        return new double[] {Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine};
    }

    /// A vector of no length keeps it, so that its cosine with anything is 0.
    private static double length(InnerProducts products, int expert) {
        double norm = products.norm(expert);
        return norm > NO_LENGTH || Double.isNaN(norm) ? norm : 1;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return InnerProducts.cost(tensors);
    }
}
