package dev.tributary.tensors;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/// Room for the tiles of the kernels' operands, used again and again. There is never more of it
/// than operands were at work at the same time, 16 KiB each, so none of it is given back to the
/// system.
///
/// It belongs to no thread on purpose. Where memory owned by a thread and memory owned by none go
/// through the same loops, the JIT hoists the owner's check out of loops that do not need it, and
/// throws its code away each time that check fails.
final class Scratch {
    private static final ConcurrentLinkedDeque<MemorySegment> FREE = new ConcurrentLinkedDeque<>();

    private Scratch() {}

    /// A tile with room for the widest elements.
    static MemorySegment take() {
        @Nullable MemorySegment tile = FREE.pollFirst();
        return tile != null
                ? tile
                : Arena.global().allocate((long) Operand.TILE * Double.BYTES, Long.BYTES);
    }

    /// Makes a tile available to others.
    static void giveBack(MemorySegment tile) {
        FREE.addFirst(tile);
    }
}
