package dev.tributary.merging.method;

import java.lang.foreign.MemorySegment;

/// Delivers one merged tensor, stretch by stretch. Stretches may be asked for in any order and by
/// several threads at once, and have the same bits however they are cut.
@FunctionalInterface
public interface TensorMerge extends AutoCloseable {

    /// Merges elements `from` to `from + count`.
    ///
    /// @param target fp32, native, overwritten
    void merge(long from, int count, MemorySegment target);

    /// Gives back what it held; nothing is asked for any more.
    @Override
    default void close() {}
}
