package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.util.List;

/// TSV-M (arXiv 2412.00081): of each expert's task vector, as a matrix, the leading `min(out, in) /
/// n` singular triples are kept; the singular vectors of all experts together are made orthonormal,
/// which takes the interference between tasks out. Tensors that are no linear maps take the mean of
/// the task vectors.
///
/// @param alpha scale of the merged task vector
public record TsvM(Setting alpha) implements MergeMethod {
    static final Option<Setting> ALPHA =
            Option.number(
                    "alpha",
                    Bound.anyNumber("alpha"),
                    1,
                    "scale of the merged task vector; worth tuning on data");

    static final MethodEntry<TsvM> ENTRY =
            new MethodEntry<>(
                            TsvM.class,
                            "tsv_m",
                            "TSV-M",
                            "https://arxiv.org/abs/2412.00081",
                            "TSV-Merge",
                            "θ₀ + α U⊥ Σ V⊥ᵀ, from the leading singular triples of every τ_t, made"
                                    + " orthonormal together",
                            values -> new TsvM(values.get(ALPHA)))
                    .scale(ALPHA, TsvM::alpha);

    public TsvM {
        alpha.values().forEach(Bound.anyNumber("alpha")::require);
    }

    @Override
    public MethodEntry<TsvM> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor ->
                tensor.linear()
                        ? MatrixMerge.of(
                                tensor,
                                tensor.value(alpha),
                                inputs.workers(),
                                (taskVectors, work) -> merge(taskVectors, inputs.workers(), work))
                        : MatrixMerge.mean(tensor, tensor.value(alpha));
    }

    private static Matrix merge(List<Matrix> taskVectors, Workers workers, Arena work) {
        int experts = taskVectors.size();
        int rows = taskVectors.getFirst().rows();
        int columns = taskVectors.getFirst().columns();
        int each = Math.max(1, Math.min(rows, columns) / experts);
        List<LinearAlgebra.Svd> parts =
                workers.map(experts, e -> LinearAlgebra.svd(work, taskVectors.get(e)));
        int all = parts.stream().mapToInt(part -> Math.min(each, part.rank())).sum();
        Matrix u = Matrix.zeros(work, rows, all);
        Matrix v = Matrix.zeros(work, columns, all);
        double[] values = new double[all];
        int at = 0;
        for (LinearAlgebra.Svd part : parts) {
            int count = Math.min(each, part.rank());
            u.copyColumns(part.u(), count, at);
            v.copyColumns(part.v(), count, at);
            System.arraycopy(part.values(), 0, values, at, count);
            at += count;
        }
        Matrix left = LinearAlgebra.polar(work, u);
        Matrix right = LinearAlgebra.polar(work, v);
        left.scaleColumns(values);
        return LinearAlgebra.multiply(work, left, false, right, true);
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        int experts = MatrixMerge.experts(tensors);
        return MatrixMerge.cost(tensors, 5 * experts + 8, experts + 2);
    }
}
