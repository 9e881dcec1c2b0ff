package dev.tributary.merging.method;

import dev.tributary.tensors.Fault;
import java.util.Arrays;
import java.util.List;

/// Barycentric interpolation on a sphere, tensor by tensor: mergekit's Multi-SLERP. The tangent
/// vectors at the mean direction add up to nothing, so it is the weighted mean of the lengths in
/// the direction of the weighted mean of the directions: `(sum w_i |tau_i|) dir(sum w_i
/// tau_i/|tau_i|)`.
///
/// Where the directions cancel each other the weighted mean is taken.
///
/// @param center what is interpolated
/// @param normalizeWeights divide the weights by their sum
public record MultiSlerp(SphereCenter center, boolean normalizeWeights) implements MergeMethod {
    private static final Option<Boolean> NORMALIZE_WEIGHTS =
            Option.flag("normalize_weights", true, "divide the weights by their sum");

    static final MethodEntry<MultiSlerp> ENTRY =
            new MethodEntry<>(
                            MultiSlerp.class,
                            "multislerp",
                            "Multi-SLERP",
                            "https://goddard.blog/posts/multislerp-wow-what-a-cool-idea",
                            "its three steps",
                            "θ₀ + (Σ w_t ‖τ_t‖) · direction of Σ w_t τ_t/‖τ_t‖",
                            values ->
                                    new MultiSlerp(
                                            values.get(SphereCenter.OPTION),
                                            values.get(NORMALIZE_WEIGHTS)))
                    .base(BaseRole.OPTIONAL)
                    .weighted()
                    .option(SphereCenter.OPTION, MultiSlerp::center)
                    .option(NORMALIZE_WEIGHTS, MultiSlerp::normalizeWeights)
                    .withoutEffect(
                            "eps",
                            "eps keeps mergekit from dividing by zero; nothing is divided by zero"
                                    + " here");

    private static final double NO_LENGTH = 1e-8;

    @Override
    public MethodEntry<MultiSlerp> entry() {
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
                    tensor, center, coefficients(products, tensor.weights()));
        };
    }

    private double[] coefficients(InnerProducts products, double[] stated) {
        double sum = normalizeWeights ? Arrays.stream(stated).sum() : 1;
        double[] weights = new double[stated.length];
        double[] direction = new double[stated.length];
        double length = 0;
        for (int i = 0; i < weights.length; i++) {
            weights[i] = stated[i] / sum;
            double norm = products.norm(i);
            direction[i] = norm == 0 ? 0 : weights[i] / norm;
            length += weights[i] * norm;
        }
        double directionLength = products.norm(direction);
        if (directionLength < NO_LENGTH) {
            return weights;
        }
        double scale = length / directionLength;
        return Arrays.stream(direction).map(d -> d * scale).toArray();
    }

    @Override
    public List<Fault> faults(MergeInputs inputs) {
        return normalizeWeights ? WeightSum.faults(inputs) : List.of();
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return InnerProducts.cost(tensors);
    }
}
