package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;

/// Iso-C (arXiv 2502.04959): the sum of the task vectors, as a matrix, with all its singular values
/// replaced by their mean. Tensors that are no linear maps take the mean of the task vectors.
///
/// @param alpha scale of the merged task vector
public record IsoC(Setting alpha) implements MergeMethod {
    static final MethodEntry<IsoC> ENTRY =
            new MethodEntry<>(
                            IsoC.class,
                            "iso_c",
                            "Iso-C",
                            "https://arxiv.org/abs/2502.04959",
                            "Iso-C",
                            "θ₀ + α mean(σ) U Vᵀ, U Σ Vᵀ = Σ τ_t",
                            values -> new IsoC(values.get(TsvM.ALPHA)))
                    .scale(TsvM.ALPHA, IsoC::alpha);

    public IsoC {
        alpha.values().forEach(Bound.anyNumber("alpha")::require);
    }

    @Override
    public MethodEntry<IsoC> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor ->
                tensor.linear()
                        ? MatrixMerge.of(tensor, tensor.value(alpha), inputs.workers(), IsoC::merge)
                        : MatrixMerge.mean(tensor, tensor.value(alpha));
    }

    private static Matrix merge(List<Matrix> taskVectors, Arena work) {
        Matrix sum = sum(taskVectors);
        int size = Math.min(sum.rows(), sum.columns());
        LinearAlgebra.Svd svd = LinearAlgebra.svd(work, sum);
        Matrix merged = LinearAlgebra.multiply(work, svd.u(), false, svd.v(), true);
        merged.scale(Arrays.stream(svd.values()).sum() / size);
        return merged;
    }

    /// Adds all up in the first.
    static Matrix sum(List<Matrix> taskVectors) {
        Matrix sum = taskVectors.getFirst();
        taskVectors.stream().skip(1).forEach(other -> sum.add(1, other));
        return sum;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return MatrixMerge.cost(tensors, MatrixMerge.experts(tensors) + 5, 1);
    }
}
