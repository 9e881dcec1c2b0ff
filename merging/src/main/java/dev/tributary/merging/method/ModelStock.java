package dev.tributary.merging.method;

import java.util.Arrays;
import java.util.List;

/// Model Stock (arXiv 2403.19522), tensor by tensor: the point between the base and the mean of the
/// experts that lies closest to the centre of the fine-tuned models, `t mean theta + (1
/// - t) theta_0` with `t = k cos a / (1 + (k - 1) cos a)`, `a` the angle between two task vectors.
///
/// For more than two experts the paper leaves open which angle that is.
///
/// @param angle how one cosine comes from all pairs
public record ModelStock(Angle angle) implements MergeMethod {

    /// How one cosine comes from all pairs of experts.
    public enum Angle {
        /// The mean of the pairs' cosines, as in mergekit.
        MEAN_COSINE("mean_cosine"),
        /// The cosine of the mean of the pairs' angles.
        MEAN_ANGLE("mean_angle");

        private final String id;

        Angle(String id) {
            this.id = id;
        }

        /// The word used in options and lineage.
        public String id() {
            return id;
        }
    }

    private static final Option<Angle> ANGLE =
            Option.choice(
                    "angle",
                    Angle.class,
                    Angle::id,
                    Angle.MEAN_COSINE,
                    "with more than two experts: the mean of the pairs' cosines, or the cosine of"
                            + " the mean of their angles");

    static final MethodEntry<ModelStock> ENTRY =
            new MethodEntry<>(
                            ModelStock.class,
                            "model_stock",
                            "Model Stock",
                            "https://arxiv.org/abs/2403.19522",
                            "its ratio t for n models",
                            "θ₀ + t/n Σ τ_t, t = n cos α / (1 + (n−1) cos α)",
                            values -> new ModelStock(values.get(ANGLE)))
                    .option(ANGLE, ModelStock::angle)
                    .fixed("filter_wise", "false");

    private static final double NO_LENGTH = 1e-6;
    private static final double NO_DIVISOR = 1e-12;

    @Override
    public MethodEntry<ModelStock> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            int experts = tensor.experts().size();
            double[] coefficients = new double[experts];
            Arrays.fill(
                    coefficients,
                    experts == 1
                            ? 1
                            : share(InnerProducts.of(tensor, SphereCenter.BASE, inputs.workers()))
                                    / experts);
            return LinearCombination.ofTaskVectors(tensor, coefficients);
        };
    }

    /// How much of the mean of the experts is taken.
    private double share(InnerProducts products) {
        int experts = products.size();
        double cosines = 0;
        double angles = 0;
        int pairs = 0;
        for (int i = 0; i < experts; i++) {
            for (int j = 0; j < i; j++) {
                double lengths = products.norm(i) * products.norm(j);
                double cosine = products.get(i, j) / Math.max(lengths, NO_LENGTH);
                cosine = Math.clamp(cosine, -1.0, 1.0);
                cosines += cosine;
                angles += Math.acos(cosine);
                pairs++;
            }
        }
        double cosine =
                switch (angle) {
                    case MEAN_COSINE -> cosines / pairs;
                    case MEAN_ANGLE -> Math.cos(angles / pairs);
                };
        double divisor = 1 + (experts - 1) * cosine;
        return Math.abs(divisor) < NO_DIVISOR ? 0 : experts * cosine / divisor;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return InnerProducts.cost(tensors);
    }
}
