package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;

/// Iso-CTS (arXiv 2502.04959): the leading directions of the sum of the task vectors, and for each
/// task the leading ones of what it has outside of them; all made orthonormal, with the mean of
/// their singular values. Tensors that are no linear maps take the mean of the task vectors.
///
/// @param alpha scale of the merged task vector
/// @param commonSpaceFraction the share of the directions that is common; the rest is divided among
///   the tasks
public record IsoCts(Setting alpha, double commonSpaceFraction) implements MergeMethod {
    private static final Option<Double> FRACTION =
            Option.real(
                    Bound.from("common_space_fraction", 0, 1),
                    0.8,
                    "share of the directions that is taken from the sum; the rest is divided among"
                            + " the tasks");

    static final MethodEntry<IsoCts> ENTRY =
            new MethodEntry<>(
                            IsoCts.class,
                            "iso_cts",
                            "Iso-CTS",
                            "https://arxiv.org/abs/2502.04959",
                            "Iso-CTS",
                            "as Iso-C, the last directions of Σ τ_t replaced by each task's own",
                            values -> new IsoCts(values.get(TsvM.ALPHA), values.get(FRACTION)))
                    .scale(TsvM.ALPHA, IsoCts::alpha)
                    .option(FRACTION, IsoCts::commonSpaceFraction);

    public IsoCts {
        alpha.values().forEach(Bound.anyNumber("alpha")::require);
        FRACTION.require(commonSpaceFraction);
    }

    @Override
    public MethodEntry<IsoCts> entry() {
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

    private Matrix merge(List<Matrix> taskVectors, Workers workers, Arena work) {
        int experts = taskVectors.size();
        int rows = taskVectors.getFirst().rows();
        int columns = taskVectors.getFirst().columns();
        int size = Math.min(rows, columns);
        int wantedCommon = (int) (size * commonSpaceFraction);
        int each = Math.max(0, (int) Math.rint((size - wantedCommon) / (double) experts));
        each = Math.min(each, size / experts);
        int common = size - each * experts;

        Matrix sum = Matrix.zeros(work, rows, columns);
        taskVectors.forEach(other -> sum.add(1, other));
        LinearAlgebra.Svd shared = LinearAlgebra.svd(work, sum);
        int kept = Math.min(common, shared.rank());
        Matrix commonU = shared.u().firstColumns(work, kept);
        List<LinearAlgebra.Svd> own =
                workers.map(
                        experts,
                        e -> LinearAlgebra.svd(work, without(work, commonU, taskVectors.get(e))));

        int fromEach = each;
        int all = kept + own.stream().mapToInt(part -> Math.min(fromEach, part.rank())).sum();
        Matrix u = Matrix.zeros(work, rows, all);
        Matrix v = Matrix.zeros(work, columns, all);
        double values = 0;
        int at = 0;
        for (LinearAlgebra.Svd part : own) {
            int count = Math.min(each, part.rank());
            u.copyColumns(part.u(), count, at);
            v.copyColumns(part.v(), count, at);
            values += Arrays.stream(part.values()).limit(count).sum();
            at += count;
        }
        u.copyColumns(commonU, kept, at);
        v.copyColumns(shared.v(), kept, at);
        values += Arrays.stream(shared.values()).limit(kept).sum();

        Matrix left = LinearAlgebra.polar(work, u);
        Matrix right = LinearAlgebra.polar(work, v);
        Matrix merged = LinearAlgebra.multiply(work, left, false, right, true);
        merged.scale(values / size);
        return merged;
    }

    /// A task vector without what lies in the common directions.
    private static Matrix without(Arena work, Matrix commonU, Matrix taskVector) {
        if (commonU.columns() > 0) {
            Matrix inside = LinearAlgebra.multiply(work, commonU, true, taskVector, false);
            LinearAlgebra.multiplyAdd(-1, commonU, false, inside, false, taskVector);
        }
        return taskVector;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        int experts = MatrixMerge.experts(tensors);
        return MatrixMerge.cost(tensors, 5 * experts + 12, experts + 3);
    }
}
