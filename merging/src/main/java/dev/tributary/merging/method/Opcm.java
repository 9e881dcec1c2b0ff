package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;

/// OPCM, continual merging by orthogonal projection (arXiv 2501.09522): experts come one after the
/// other, in the order of their tasks' names. From each new task vector of a linear layer that part
/// is taken out which lies in the leading singular directions of what is merged so far, and along
/// its other singular pairs; then it is added. In the end the whole is scaled to the mean length of
/// the task vectors.
///
/// The scale is one number for the whole model, so everything is computed twice: first for the
/// length, then for the result.
///
/// @param alpha how much of the sum of singular values counts as leading
public record Opcm(double alpha) implements MergeMethod {
    private static final Option<Double> ALPHA =
            Option.real(
                    Bound.from("alpha", 0, 1),
                    0.5,
                    "share of the sum of singular values whose directions are closed to new"
                            + " experts");

    static final MethodEntry<Opcm> ENTRY =
            new MethodEntry<>(
                            Opcm.class,
                            "opcm",
                            "OPCM",
                            "https://arxiv.org/abs/2501.09522",
                            "the projection and its scaling",
                            "θ₀ + c · (τ₁ + Σ projected τ_t), c so that its length is the mean"
                                    + " ‖τ_t‖",
                            values -> new Opcm(values.get(ALPHA)))
                    .option(ALPHA, Opcm::alpha);

    public Opcm {
        ALPHA.require(alpha);
    }

    @Override
    public MethodEntry<Opcm> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        int experts = inputs.tasks().size();
        double[] squares = new double[experts];
        double merged = 0;
        for (MergeTensor tensor : inputs.tensors()) {
            InnerProducts products = InnerProducts.of(tensor, SphereCenter.BASE, inputs.workers());
            for (int e = 0; e < experts; e++) {
                squares[e] += products.get(e, e);
            }
            merged += tensor.linear() ? square(tensor, inputs.workers()) : sumSquare(products);
        }
        double mean = 0;
        for (double square : squares) {
            mean += Math.sqrt(square) / experts;
        }
        double scale = merged == 0 ? 0 : mean / Math.sqrt(merged);
        return tensor ->
                tensor.linear()
                        ? MatrixMerge.of(tensor, scale, inputs.workers(), this::merge)
                        : MatrixMerge.mean(tensor, scale * experts);
    }

    private double square(MergeTensor tensor, Workers workers) {
        double[] square = {0};
        MatrixMerge.of(
                        tensor,
                        1,
                        workers,
                        (taskVectors, work) -> {
                            Matrix merged = merge(taskVectors, work);
                            square[0] = merged.squaredNorm();
                            return merged;
                        })
                .close();
        return square[0];
    }

    private static double sumSquare(InnerProducts products) {
        double[] ones = new double[products.size()];
        Arrays.fill(ones, 1);
        double norm = products.norm(ones);
        return norm * norm;
    }

    private Matrix merge(List<Matrix> taskVectors, Arena work) {
        Matrix merged = taskVectors.getFirst();
        for (Matrix next : taskVectors.subList(1, taskVectors.size())) {
            try (Arena step = Arena.ofShared()) {
                Matrix copy = Matrix.zeros(step, merged.rows(), merged.columns());
                copy.add(1, merged);
                project(step, LinearAlgebra.svd(step, copy), next);
            }
            merged.add(1, next);
        }
        return merged;
    }

    /// Takes out `sum u_i (u_i^T next v_j) v_j^T` over the leading block, and over the diagonal.
    private void project(Arena step, LinearAlgebra.Svd svd, Matrix next) {
        if (svd.rank() == 0) {
            return;
        }
        Matrix half = LinearAlgebra.multiply(step, svd.u(), true, next, false);
        Matrix inside = LinearAlgebra.multiply(step, half, false, svd.v(), false);
        int leading = leading(svd.values());
        for (int i = 0; i < svd.rank(); i++) {
            for (int j = 0; j < svd.rank(); j++) {
                if (i != j && (i >= leading || j >= leading)) {
                    inside.set(i, j, 0);
                }
            }
        }
        Matrix left = LinearAlgebra.multiply(step, svd.u(), false, inside, false);
        LinearAlgebra.multiplyAdd(-1, left, false, svd.v(), true, next);
    }

    /// How many singular values come before their sum exceeds the share.
    private int leading(double[] values) {
        double all = 0;
        for (double value : values) {
            all += value;
        }
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += values[i];
            if (sum / all > alpha) {
                return i;
            }
        }
        return values.length;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        int experts = MatrixMerge.experts(tensors);
        MergeCost once = MatrixMerge.cost(tensors, experts + 8, 2.0 * experts);
        return new MergeCost(3 * once.bytesToRead(), once.peakBytes(), once.operations());
    }
}
