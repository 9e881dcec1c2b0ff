package dev.tributary.merging.method;

import java.util.List;

/// The Karcher (Riemannian) mean of the experts' directions on the sphere, with their mean length,
/// tensor by tensor (Karcher, 1977, Riemannian center of mass and mollifier smoothing).
///
/// The mean is a linear combination of the experts throughout, so the whole iteration runs on their
/// inner products: log map to the tangent space, mean there, exponential map back.
///
/// @param center what is averaged
/// @param maxIter most iterations
/// @param tol ends the iteration when the mean moves by less
public record Karcher(SphereCenter center, int maxIter, double tol) implements MergeMethod {
    private static final Option<SphereCenter> CENTER =
            Option.choice(
                    "center",
                    SphereCenter.class,
                    SphereCenter::id,
                    SphereCenter.ZERO,
                    "average the weights themselves (zero), as mergekit does, or task vectors"
                            + " (base)");
    private static final Option<Integer> MAX_ITER =
            Option.whole(Bound.from("max_iter", 1, 10_000), 10, "most iterations");
    private static final Option<Double> TOL =
            Option.real(
                    Bound.above("tol", 0, 1), 1e-5, "ends when the mean direction moves by less");

    static final MethodEntry<Karcher> ENTRY =
            new MethodEntry<>(
                            Karcher.class,
                            "karcher",
                            "Karcher mean",
                            "https://doi.org/10.1002/cpa.3160300502",
                            "center of mass",
                            "mean ‖θ_t‖ · Karcher mean of the directions θ_t/‖θ_t‖",
                            values ->
                                    new Karcher(
                                            values.get(CENTER),
                                            values.get(MAX_ITER),
                                            values.get(TOL)))
                    .base(BaseRole.TEMPLATE)
                    .option(CENTER, Karcher::center)
                    .option(MAX_ITER, Karcher::maxIter)
                    .option(TOL, Karcher::tol);

    public Karcher {
        MAX_ITER.require(maxIter);
        TOL.require(tol);
    }

    @Override
    public MethodEntry<Karcher> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            if (tensor.experts().size() == 1) {
                return InnerProducts.combination(tensor, center, new double[] {1});
            }
            InnerProducts products = InnerProducts.of(tensor, center, inputs.workers());
            return InnerProducts.combination(tensor, center, coefficients(products));
        };
    }

    private double[] coefficients(InnerProducts products) {
        int experts = products.size();
        boolean[] counts = new boolean[experts];
        int counted = 0;
        double length = 0;
        for (int i = 0; i < experts; i++) {
            double norm = products.norm(i);
            length += norm / experts;
            counts[i] = !(norm <= tol);
            counted += counts[i] ? 1 : 0;
        }
        double[] mean = new double[experts];
        for (int i = 0; i < experts; i++) {
            mean[i] = counts[i] ? 1.0 / (counted * products.norm(i)) : 0;
        }
        if (counted == 0) {
            return mean;
        }
        double start = products.norm(mean);
        if (start < tol) {
            return onlyFirst(products, counts, length);
        }
        scale(mean, 1 / start);
        for (int step = 0; step < maxIter; step++) {
            double[] tangent = tangent(products, mean, counts, counted);
            double size = products.norm(tangent);
            if (size < tol) {
                break;
            }
            for (int i = 0; i < experts; i++) {
                mean[i] = Math.cos(size) * mean[i] + Math.sin(size) / size * tangent[i];
            }
            scale(mean, 1 / products.norm(mean));
        }
        scale(mean, length);
        return mean;
    }

    /// The mean of the log maps of the directions, in the tangent space at the mean.
    private double[] tangent(InnerProducts products, double[] mean, boolean[] counts, int counted) {
        double[] tangent = new double[mean.length];
        for (int i = 0; i < mean.length; i++) {
            if (!counts[i]) {
                continue;
            }
            double dot = 0;
            for (int j = 0; j < mean.length; j++) {
                dot += mean[j] * products.get(i, j);
            }
            dot = Math.clamp(dot / products.norm(i), -1.0, 1.0);
            double angle = Math.acos(dot);
            if (angle < tol) {
                continue;
            }
            double share = angle / Math.sin(angle) / counted;
            tangent[i] += share / products.norm(i);
            for (int j = 0; j < mean.length; j++) {
                tangent[j] -= share * dot * mean[j];
            }
        }
        return tangent;
    }

    /// Where the directions cancel each other there is no mean; as mergekit does the first is
    /// taken.
    private static double[] onlyFirst(InnerProducts products, boolean[] counts, double length) {
        double[] first = new double[counts.length];
        for (int i = 0; i < counts.length; i++) {
            if (counts[i]) {
                first[i] = length / products.norm(i);
                return first;
            }
        }
        return first;
    }

    private static void scale(double[] values, double factor) {
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return InnerProducts.cost(tensors);
    }
}
