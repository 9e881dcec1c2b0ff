package dev.tributary.merging.method;

import java.lang.foreign.MemorySegment;

/// The values of one tensor in one model: in one piece in a mapped file, or put together from rows.
public interface StoredValues {

    /// Elements `from` to `from + count`, native and read-only; good until the same thread asks
    /// these values for others.
    MemorySegment slice(long from, long count);

    /// How many bytes all of them take.
    long bytes();
}
