package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.MemorySegment;

/// Delivers one merged tensor, stretch by stretch. Stretches may be asked for in any order and by
/// several threads at once, and have the same bits however they are cut.
@FunctionalInterface
public interface TensorMerge extends AutoCloseable {

    /// Merges elements `from` to `from + count`.
    ///
    /// @param target fp32, native, overwritten
    void merge(long from, int count, MemorySegment target);

    /// Merges elements and rounds them once to the dtype they are stored in.
    ///
    /// @param room fp32, native, for so many elements, of any content afterwards
    /// @param target native, overwritten
    /// @return whether every element is finite
    default boolean merge(
            long from, int count, MemorySegment room, Dtype dtype, MemorySegment target) {
        merge(from, count, room);
        Kernels.narrow(room, dtype, target, count);
        return Kernels.countNonFinite(dtype, target, count) == 0;
    }

    /// Gives back what it held; nothing is asked for any more.
    @Override
    default void close() {}
}
