package dev.tributary.tensors;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Deque;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/// Room for the tiles of the kernels' operands, used again and again. There is never more of it
/// than operands were at work at the same time, 16 KiB each, so none of it is given back.
///
/// It belongs to no thread on purpose. Where memory owned by a thread and memory owned by none go
/// through the same loops, the JIT hoists the owner's check out of loops that do not need it, and
/// throws its code away each time that check fails.
final class Scratch {
    private static final Map<Long, Deque<MemorySegment>> FREE = new ConcurrentHashMap<>();

    private Scratch() {}

    /// A tile with room for the widest elements.
    static MemorySegment take() {
        return take((long) Operand.TILE * Double.BYTES);
    }

    /// Several tiles of fp32 in one piece.
    static MemorySegment takeFloatTiles(int tiles) {
        return take((long) Math.max(tiles, 1) * Operand.TILE * Float.BYTES);
    }

    /// Makes a piece available to others.
    static void giveBack(MemorySegment piece) {
        free(piece.byteSize()).addFirst(piece);
    }

    private static MemorySegment take(long bytes) {
        @Nullable MemorySegment piece = free(bytes).pollFirst();
        return piece != null ? piece : Arena.global().allocate(bytes, Long.BYTES);
    }

    private static Deque<MemorySegment> free(long bytes) {
        return FREE.computeIfAbsent(bytes, _ -> new ConcurrentLinkedDeque<>());
    }
}
