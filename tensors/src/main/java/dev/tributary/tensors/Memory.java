package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;

/// All memory there is, as one segment, and addresses in it.
///
/// Loops over a segment of its own kind each spend more on checking it again at every step than on
/// the arithmetic. Those that go over this one have their operands' bounds and liveness checked
/// once, before the loop; whoever owns the memory must not free it meanwhile, as is true of all
/// kernels.
public final class Memory {
    /// From the first byte to the last.
    @SuppressWarnings("restricted")
    public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private Memory() {}

    /// Where a segment of at least so many bytes begins.
    public static long address(MemorySegment segment, long bytes) {
        if (!segment.isNative() || !segment.scope().isAlive()) {
            throw new IllegalStateException("expected live native memory, was " + segment);
        }
        return segment.asSlice(0, bytes).address();
    }

    /// Where a segment of at least so many fp32 numbers begins.
    public static long floats(MemorySegment segment, int count) {
        return address(segment, (long) count * Float.BYTES);
    }
}
