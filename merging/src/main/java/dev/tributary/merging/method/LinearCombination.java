package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.TaskVectorMerge;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A linear combination with one coefficient an expert, rounded once: of the experts' task vectors
/// onto the base, `theta_0 + sum_t c_t tau_t`, or of their own weights, `sum_t c_t theta_t`.
final class LinearCombination implements TensorMerge {
    private final MergeTensor tensor;
    private final float[] coefficients;
    private final boolean ontoBase;

    private LinearCombination(MergeTensor tensor, double[] coefficients, boolean ontoBase) {
        this.tensor = tensor;
        this.coefficients = new float[coefficients.length];
        for (int e = 0; e < coefficients.length; e++) {
            this.coefficients[e] = (float) coefficients[e];
        }
        this.ontoBase = ontoBase;
    }

    /// The base plus task vectors: `theta_0 + sum_t c_t tau_t`.
    static TensorMerge ofTaskVectors(MergeTensor tensor, double[] coefficients) {
        return new LinearCombination(tensor, coefficients, true);
    }

    /// The experts' own weights: `sum_t c_t theta_t`.
    static TensorMerge ofWeights(MergeTensor tensor, double[] coefficients) {
        return new LinearCombination(tensor, coefficients, false);
    }

    @Override
    public void merge(long from, int count, MemorySegment target) {
        round(from, count, Dtype.F32, target);
    }

    @Override
    public boolean merge(
            long from, int count, MemorySegment room, Dtype dtype, MemorySegment target) {
        return round(from, count, dtype, target);
    }

    private boolean round(long from, int count, Dtype dtype, MemorySegment target) {
        List<TaskVectorMerge.Scaled> experts = new ArrayList<>(coefficients.length);
        for (int e = 0; e < coefficients.length; e++) {
            MergeTensor.Stored stored = tensor.experts().get(e).stored();
            experts.add(
                    new TaskVectorMerge.Scaled(
                            stored.dtype(), stored.slice(from, count), coefficients[e]));
        }
        TaskVectorMerge sum =
                ontoBase
                        ? new TaskVectorMerge(
                                tensor.base().dtype(), tensor.base().slice(from, count), count)
                        : TaskVectorMerge.ontoZero(dtype, count);
        return sum.round(experts, dtype, target);
    }
}
