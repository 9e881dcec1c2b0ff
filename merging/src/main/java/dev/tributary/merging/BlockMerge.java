package dev.tributary.merging;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Merges one stretch of one tensor at a time into fp32: the arithmetic of a method, whatever the
/// result is then written to.
///
/// Stretches of a tensor are asked for in order, tensors in the plan's order.
sealed interface BlockMerge permits WeightedMean, TaskVectorSum, TiesMerge {

    /// Prepares for a tensor.
    default void begin(SharedTensor tensor) {}

    /// Merges elements `from` to `from + count` of a tensor.
    ///
    /// @param target fp32, overwritten
    void merge(SharedTensor tensor, long from, int count, MemorySegment target);

    /// The arithmetic of a plan's method.
    ///
    /// @param coefficients DivMerge's; null for the other methods
    static BlockMerge of(MergePlan plan, @Nullable Coefficients coefficients) {
        return switch (plan.method()) {
            case MergeMethod.WeightAveraging method -> new WeightedMean(plan, method);
            case MergeMethod.TaskArithmetic method -> TaskVectorSum.of(plan, method);
            case MergeMethod.Ties method -> new TiesMerge(plan, method);
            case MergeMethod.DivMerge _ -> {
                if (coefficients == null) {
                    throw new IllegalArgumentException(
                            "[divmerge] needs its coefficients: optimise them first");
                }
                yield TaskVectorSum.of(plan, coefficients);
            }
        };
    }

    /// A stretch of a tensor's bytes.
    static MemorySegment slice(MemorySegment data, int elementBytes, long from, long count) {
        return data.asSlice(from * elementBytes, count * elementBytes);
    }
}
