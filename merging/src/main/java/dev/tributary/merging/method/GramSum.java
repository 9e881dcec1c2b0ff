package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// A growing sum of `x x^T` over vectors, in double precision: inputs of inner layers span several
/// orders of magnitude, and what is small is solved for too.
public final class GramSum {
    private final Matrix sum;
    private long count;

    /// A sum of nothing.
    ///
    /// @param arena owns the sum
    public GramSum(Arena arena, int width) {
        this.sum = Matrix.zeros(arena, width, width);
    }

    /// Adds vectors.
    ///
    /// @param rows fp32, native, one vector after the other
    public void add(MemorySegment rows, int vectors) {
        try (Arena work = Arena.ofConfined()) {
            Matrix wide = Matrix.zeros(work, vectors, sum.columns());
            Kernels.narrow(rows, Dtype.F64, wide.values(), wide.elements());
            LinearAlgebra.multiplyAdd(1, wide, true, wide, false, sum);
        }
        count += vectors;
    }

    /// How many vectors were added.
    public long count() {
        return count;
    }

    /// The sum, fp64, row after row.
    public MemorySegment values() {
        return sum.values();
    }
}
