package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// The family of methods that look at a linear layer's task vectors as matrices: one tensor's are
/// held in memory, the rule makes one matrix of them, and a scale of it is added to the base.
/// Tensors that are no linear maps, embeddings among them, take the mean of the task vectors or
/// stay at the base.
final class MatrixMerge implements TensorMerge {
    private final MergeTensor tensor;
    private final MemorySegment merged;
    private final Arena arena;
    private final double scale;

    /// Makes one matrix of the experts' task vectors, which it may overwrite.
    @FunctionalInterface
    interface Rule {
        /// Merges.
        ///
        /// @param work everything allocated here is given back when the rule is done
        Matrix merge(List<Matrix> taskVectors, Arena work);
    }

    private MatrixMerge(MergeTensor tensor, MemorySegment merged, Arena arena, double scale) {
        this.tensor = tensor;
        this.merged = merged;
        this.arena = arena;
        this.scale = scale;
    }

    /// Merges a linear layer's weight by a rule.
    static TensorMerge of(MergeTensor tensor, double scale, Workers workers, Rule rule) {
        try (Arena work = Arena.ofShared()) {
            List<Matrix> taskVectors =
                    workers.map(tensor.experts().size(), e -> Matrix.ofTaskVector(work, tensor, e));
            if (!taskVectors.stream().allMatch(Matrix::finite)) {
                return (from, count, target) -> nothingFinite(count, target);
            }
            Matrix result = rule.merge(taskVectors, work);
            Arena kept = Arena.ofShared();
            MemorySegment floats = kept.allocate(result.elements() * Float.BYTES, 64);
            Kernels.widen(Dtype.F64, result.values(), 0, floats, result.elements());
            return new MatrixMerge(tensor, floats, kept, scale);
        }
    }

    /// Adds a scale of the mean of the task vectors.
    static TensorMerge mean(MergeTensor tensor, double scale) {
        double[] coefficients = new double[tensor.experts().size()];
        Arrays.fill(coefficients, scale / coefficients.length);
        return LinearCombination.ofTaskVectors(tensor, coefficients);
    }

    /// Shows a NaN or an infinity among the inputs in the result, where it is looked for.
    private static void nothingFinite(int count, MemorySegment target) {
        for (int i = 0; i < count; i++) {
            TileLoops.set(target, i, Float.NaN);
        }
    }

    @Override
    public void merge(long from, int count, MemorySegment target) {
        Tiles.read(tensor.base(), from, count, target);
        Kernels.axpy(
                (float) scale,
                merged.asSlice(from * Float.BYTES, (long) count * Float.BYTES),
                target,
                count);
    }

    @Override
    public void close() {
        arena.close();
    }

    /// What such a method costs.
    ///
    /// @param copies how many matrices of a tensor's size are held
    /// @param decompositions how many singular value decompositions a tensor takes
    static MergeCost cost(List<MergeTensor> tensors, int copies, double decompositions) {
        long largest = 0;
        double operations = 0;
        for (MergeTensor tensor : tensors) {
            if (tensor.linear()) {
                largest = Math.max(largest, tensor.elements());
                double small = Math.min(tensor.shape().getFirst(), tensor.columns());
                operations += decompositions * 12 * tensor.elements() * small;
            }
        }
        return MergeCost.passes(tensors, 1, 1)
                .holding(largest * Double.BYTES * copies)
                .computing(operations);
    }

    static int experts(List<MergeTensor> tensors) {
        return tensors.isEmpty() ? 0 : tensors.getFirst().experts().size();
    }
}
