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

    /// An expert's block and the magnitude below which entries of its task vector are dropped.
    public record Trimmed(Dtype dtype, MemorySegment expert, float threshold) {}

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

    /// How many entries of the trimmed task vectors' sum are positive, less how many are negative.
    /// Its sign over a whole model is the sign TIES elects where a sum is exactly zero.
    public long signBalance(List<Trimmed> experts) {
        long balance = 0;
        try (TrimmedTiles tiles = new TrimmedTiles(experts)) {
            for (long at = 0; at < count; at += Operand.TILE) {
                int length = Operand.tileLength(at, count);
                MemorySegment trimmed = tiles.at(at, length);
                balance +=
                        Kernels.ARITHMETIC.signBalance(
                                trimmed, experts.size(), Operand.TILE, length);
            }
        }
        return balance;
    }

    /// TIES (Yadav et al., 2023, Algorithm 1): trims the task vectors, elects a sign for each entry
    /// by total mass, and adds lambda times the mean of those entries that have the elected sign.
    ///
    /// @param zeroElectsPositive the sign elected where the mass is exactly zero: whether
    ///   [#signBalance] over the whole model is positive
    /// @param target fp32
    public void ties(
            List<Trimmed> experts, float lambda, boolean zeroElectsPositive, MemorySegment target) {
        try (TrimmedTiles tiles = new TrimmedTiles(experts);
                Operand to = new Operand(target)) {
            for (long at = 0; at < count; at += Operand.TILE) {
                int length = Operand.tileLength(at, count);
                MemorySegment trimmed = tiles.at(at, length);
                Kernels.ARITHMETIC.disjointMean(
                        trimmed,
                        experts.size(),
                        Operand.TILE,
                        tiles.base.floats(at, length),
                        lambda,
                        zeroElectsPositive,
                        to.raw(at, length),
                        length);
                to.put(at, length);
            }
        }
    }

    /// A tile of each trimmed task vector, one after the other in one piece of memory.
    private final class TrimmedTiles implements AutoCloseable {
        private final List<Trimmed> experts;
        private final List<Operand> operands;
        private final Operand base = new Operand(baseDtype, TaskVectorMerge.this.base);
        private final MemorySegment trimmed;

        TrimmedTiles(List<Trimmed> experts) {
            this.experts = experts;
            this.operands =
                    experts.stream()
                            .map(expert -> new Operand(expert.dtype(), expert.expert()))
                            .toList();
            this.trimmed = Scratch.takeFloatTiles(experts.size());
        }

        MemorySegment at(long from, int length) {
            MemorySegment baseTile = base.floats(from, length);
            for (int i = 0; i < operands.size(); i++) {
                Kernels.ARITHMETIC.trim(
                        operands.get(i).floats(from, length),
                        baseTile,
                        experts.get(i).threshold(),
                        trimmed,
                        i * Operand.TILE,
                        length);
            }
            return trimmed;
        }

        @Override
        public void close() {
            base.close();
            operands.forEach(Operand::close);
            Scratch.giveBack(trimmed);
        }
    }
}
