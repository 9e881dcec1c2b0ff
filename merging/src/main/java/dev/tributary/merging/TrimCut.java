package dev.tributary.merging;

import dev.tributary.tensors.MagnitudeHistogram;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Where TIES cuts a task vector: entries larger in magnitude are kept, smaller ones dropped, and
/// of those exactly at the cut so many are dropped, lowest index first, that the wanted number is
/// left.
///
/// Magnitudes are compared as the bits of their fp32 value without the sign, which order as the
/// values do, with NaNs above all.
///
/// @param bits the magnitude at the cut
/// @param droppedAtCut how many entries of exactly this magnitude are dropped
record TrimCut(int bits, long droppedAtCut) {
    /// Keeps everything.
    static final TrimCut NONE = new TrimCut(0, 0);

    /// Drops everything finite; a NaN or an infinity stays to be found.
    private static final TrimCut ALL =
            new TrimCut(Float.floatToRawIntBits(Float.POSITIVE_INFINITY), 0);

    /// The bits of a value's magnitude.
    static int magnitude(float value) {
        return Float.floatToRawIntBits(value) & 0x7fffffff;
    }

    /// Finds the cut that keeps a share of a member's entries in these tensors, in two passes over
    /// them and without a sort.
    static TrimCut find(MergePlan plan, int member, List<SharedTensor> tensors, double density) {
        long entries = tensors.stream().mapToLong(SharedTensor::elements).sum();
        long toKeep = (long) (density * entries);
        if (toKeep >= entries) {
            return NONE;
        }
        if (toKeep == 0) {
            return ALL;
        }
        MagnitudeHistogram coarse = new MagnitudeHistogram();
        for (SharedTensor tensor : tensors) {
            SharedTensor.Source source = tensor.members().get(member);
            coarse.add(
                    source.dtype(),
                    expert(plan, member, source),
                    tensor.baseDtype(),
                    plan.base().data(tensor.baseName()),
                    tensor.elements());
        }
        MagnitudeHistogram.Refinement fine = coarse.refine(toKeep);
        for (SharedTensor tensor : tensors) {
            SharedTensor.Source source = tensor.members().get(member);
            fine.add(
                    source.dtype(),
                    expert(plan, member, source),
                    tensor.baseDtype(),
                    plan.base().data(tensor.baseName()),
                    tensor.elements());
        }
        return new TrimCut(Float.floatToRawIntBits(fine.threshold()), fine.countAtLeast() - toKeep);
    }

    private static MemorySegment expert(MergePlan plan, int member, SharedTensor.Source source) {
        return plan.members().get(member).expert().data(source.name());
    }
}
