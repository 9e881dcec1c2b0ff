package dev.tributary.merging.method;

import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.TaskVectorMerge;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A linear combination with one coefficient an expert, rounded once.
final class LinearCombination {
    private LinearCombination() {}

    /// The base plus task vectors: `theta_0 + sum_t c_t tau_t`.
    static TensorMerge ofTaskVectors(MergeTensor tensor, double[] coefficients) {
        return (from, count, target) -> {
            List<TaskVectorMerge.Scaled> experts = new ArrayList<>(coefficients.length);
            for (int e = 0; e < coefficients.length; e++) {
                MergeTensor.Stored stored = tensor.experts().get(e).stored();
                experts.add(
                        new TaskVectorMerge.Scaled(
                                stored.dtype(),
                                stored.slice(from, count),
                                (float) coefficients[e]));
            }
            new TaskVectorMerge(tensor.base().dtype(), tensor.base().slice(from, count), count)
                    .sum(experts, target);
        };
    }

    /// The experts' own weights: `sum_t c_t theta_t`.
    static TensorMerge ofWeights(MergeTensor tensor, double[] coefficients) {
        return (from, count, target) -> {
            MemorySegment widened = Tiles.take();
            for (int at = 0; at < count; at += Tiles.SIZE) {
                int length = Math.min(Tiles.SIZE, count - at);
                MemorySegment sum =
                        target.asSlice((long) at * Float.BYTES, (long) length * Float.BYTES);
                sum.fill((byte) 0);
                for (int e = 0; e < coefficients.length; e++) {
                    MergeTensor.Stored stored = tensor.experts().get(e).stored();
                    Tiles.read(stored, from + at, length, widened);
                    Kernels.axpy((float) coefficients[e], widened, sum, length);
                }
            }
            Tiles.giveBack(widened);
        };
    }
}
