package dev.tributary.tensors;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Merges the task vectors (expert minus base) of several experts into one tensor, block by block.
///
/// Works on one tensor or one block of it: nothing of the size of a tensor is allocated, and
/// operands may be mapped files of any floating-point dtype. Thread-safe for different targets.
public final class TaskVectorMerge {
    private static final MemorySegment ZEROS =
            Arena.global().allocate((long) Operand.TILE * Double.BYTES, 64).asReadOnly();

    private final Dtype baseDtype;
    private final MemorySegment base;
    private final boolean zero;
    private final long count;

    /// Merges onto this block of the base.
    public TaskVectorMerge(Dtype baseDtype, MemorySegment base, long count) {
        this(baseDtype, base, false, count);
    }

    private TaskVectorMerge(Dtype baseDtype, MemorySegment base, boolean zero, long count) {
        this.baseDtype = baseDtype;
        this.base = base;
        this.zero = zero;
        this.count = count;
    }

    /// Merges so many elements onto nothing: then a task vector is the expert itself.
    public static TaskVectorMerge ontoZero(Dtype dtype, long count) {
        return new TaskVectorMerge(dtype, ZEROS, true, count);
    }

    /// An expert's block and how much of its task vector is added.
    public record Scaled(Dtype dtype, MemorySegment expert, float coefficient) {}

    /// Base plus the sum of scaled task vectors: task arithmetic (Ilharco et al., 2023), the
    /// average of the experts when each coefficient is one over their number, and the merge that
    /// DivMerge's coefficients describe.
    ///
    /// @param target fp32; must not overlap the operands
    public void sum(List<Scaled> experts, MemorySegment target) {
        round(experts, Dtype.F32, target);
    }

    /// The same, rounded once more to a dtype of the target.
    ///
    /// @param target must not overlap the operands
    /// @return whether every element is finite
    public boolean round(List<Scaled> experts, Dtype dtype, MemorySegment target) {
        boolean fused =
                dtype == baseDtype
                        && dtype != Dtype.F64
                        && experts.size() <= VectorFusion.MOST_EXPERTS
                        && base.isNative()
                        && target.isNative()
                        && experts.stream()
                                .allMatch(e -> e.dtype() == dtype && e.expert().isNative());
        return fused ? fused(experts, dtype, target) : stepwise(experts, dtype, target);
    }

    private boolean fused(List<Scaled> experts, Dtype dtype, MemorySegment target) {
        int size = experts.size();
        float[] coefficients = new float[size];
        for (int k = 0; k < size; k++) {
            coefficients[k] = experts.get(k).coefficient();
        }
        MemorySegment[] tiles = new MemorySegment[size];
        boolean finite = true;
        for (long at = 0; at < count; at += Operand.TILE) {
            int length = Operand.tileLength(at, count);
            for (int k = 0; k < size; k++) {
                tiles[k] = slice(experts.get(k).expert(), dtype, at, length);
            }
            finite &=
                    Kernels.ARITHMETIC.combine(
                            dtype,
                            slice(base, dtype, zero ? 0 : at, length),
                            tiles,
                            coefficients,
                            slice(target, dtype, at, length),
                            length);
        }
        return finite;
    }

    private boolean stepwise(List<Scaled> experts, Dtype dtype, MemorySegment target) {
        boolean finite = true;
        List<Operand> operands = new ArrayList<>();
        MemorySegment sum = Scratch.take();
        try (Operand from = new Operand(baseDtype, base);
                Operand to = new Operand(dtype, target)) {
            experts.forEach(expert -> operands.add(new Operand(expert.dtype(), expert.expert())));
            for (long at = 0; at < count; at += Operand.TILE) {
                int length = Operand.tileLength(at, count);
                MemorySegment baseTile = from.floats(zero ? 0 : at, length);
                Kernels.ARITHMETIC.widen(Dtype.F32, baseTile, sum, length);
                for (int i = 0; i < operands.size(); i++) {
                    Kernels.ARITHMETIC.accumulateDifference(
                            sum,
                            experts.get(i).coefficient(),
                            operands.get(i).floats(at, length),
                            baseTile,
                            length);
                }
                MemorySegment rounded = to.raw(at, length);
                Kernels.ARITHMETIC.narrow(sum, dtype, rounded, length);
                finite &= Kernels.ARITHMETIC.countNonFinite(dtype, rounded, length) == 0;
                to.put(at, length);
            }
        } finally {
            operands.forEach(Operand::close);
            Scratch.giveBack(sum);
        }
        return finite;
    }

    private static MemorySegment slice(MemorySegment memory, Dtype dtype, long from, int length) {
        return memory.asSlice(from * dtype.bytes(), (long) length * dtype.bytes());
    }
}
