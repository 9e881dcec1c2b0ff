package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// Merges the task vectors (expert minus base) of several experts into one tensor, block by block.
///
/// Works on one tensor or one block of it: nothing of the size of a tensor is allocated, operands
/// may be mapped files of any floating-point dtype, and the result is fp32. Thread-safe for
/// different targets.
public final class TaskVectorMerge {
    private final Dtype baseDtype;
    private final MemorySegment base;
    private final long count;

    /// Merges onto this block of the base.
    public TaskVectorMerge(Dtype baseDtype, MemorySegment base, long count) {
        this.baseDtype = baseDtype;
        this.base = base;
        this.count = count;
    }

    /// An expert's block and how much of its task vector is added.
    public record Scaled(Dtype dtype, MemorySegment expert, float coefficient) {}

    /// Base plus the sum of scaled task vectors: task arithmetic (Ilharco et al., 2023), the
    /// average of the experts when each coefficient is one over their number, and the merge that
    /// DivMerge's coefficients describe.
    ///
    /// @param target fp32; must not overlap the operands
    public void sum(List<Scaled> experts, MemorySegment target) {
        List<Operand> operands = new ArrayList<>();
        try (Operand from = new Operand(baseDtype, base);
                Operand to = new Operand(target)) {
            experts.forEach(expert -> operands.add(new Operand(expert.dtype(), expert.expert())));
            for (long at = 0; at < count; at += Operand.TILE) {
                int length = Operand.tileLength(at, count);
                MemorySegment baseTile = from.floats(at, length);
                MemorySegment sum = to.raw(at, length);
                Kernels.ARITHMETIC.widen(Dtype.F32, baseTile, sum, length);
                for (int i = 0; i < operands.size(); i++) {
                    Kernels.ARITHMETIC.accumulateDifference(
                            sum,
                            experts.get(i).coefficient(),
                            operands.get(i).floats(at, length),
                            baseTile,
                            length);
                }
                to.put(at, length);
            }
        } finally {
            operands.forEach(Operand::close);
        }
    }
}
