package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.ConcurrentLinkedDeque;
import org.jspecify.annotations.Nullable;

/// Room for one tile of the base and of every expert, small enough to stay in the second-level
/// cache with all of them.
///
/// Tiles are used again and again, and never given back to the system: there are never more than
/// were at work at the same time. They belong to no thread, as the kernels' own scratch memory.
final class Tiles implements AutoCloseable {
    /// Elements in a tile; divides 2^32.
    static final int SIZE = 1 << 11;

    private static final ConcurrentLinkedDeque<MemorySegment> FREE = new ConcurrentLinkedDeque<>();

    final MemorySegment base = take();
    final MemorySegment sum = take();
    final MemorySegment extra = take();
    final MemorySegment rest = take();
    final MemorySegment[] experts;

    Tiles(int experts) {
        this.experts = new MemorySegment[experts];
        for (int e = 0; e < experts; e++) {
            this.experts[e] = take();
        }
    }

    /// A single tile, of any content, until it is given back.
    static MemorySegment take() {
        @Nullable MemorySegment tile = FREE.pollFirst();
        return tile != null ? tile : Arena.global().allocate((long) SIZE * Float.BYTES, 64);
    }

    static void giveBack(MemorySegment tile) {
        FREE.addFirst(tile);
    }

    @Override
    public void close() {
        giveBack(base);
        giveBack(sum);
        giveBack(extra);
        giveBack(rest);
        for (MemorySegment expert : experts) {
            giveBack(expert);
        }
    }

    /// Reads the base's values.
    void readBase(MergeTensor tensor, long from, int count) {
        read(tensor.base(), from, count, base);
    }

    /// Reads an expert's task vector, once the base has been read.
    void readTaskVector(MergeTensor tensor, int expert, long from, int count) {
        MergeTensor.Stored stored = tensor.experts().get(expert).stored();
        Kernels.difference(
                stored.dtype(), stored.slice(from, count), Dtype.F32, base, experts[expert], count);
    }

    static void read(MergeTensor.Stored stored, long from, int count, MemorySegment target) {
        Kernels.widen(stored.dtype(), stored.slice(from, count), 0, target, count);
    }
}
