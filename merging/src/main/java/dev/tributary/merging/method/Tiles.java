package dev.tributary.merging.method;

import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Room for one tile of the base and of every expert, small enough to stay in the second-level
/// cache with all of them. It belongs to no thread: see the kernels' own scratch memory.
final class Tiles {
    /// Elements in a tile; divides 2^32.
    static final int SIZE = 1 << 11;

    final MemorySegment base = tile();
    final MemorySegment sum = tile();
    final MemorySegment extra = tile();
    private final MemorySegment rest = tile();
    final MemorySegment[] experts;

    Tiles(int experts) {
        this.experts = new MemorySegment[experts];
        for (int e = 0; e < experts; e++) {
            this.experts[e] = tile();
        }
    }

    /// Room for what a loop needs besides.
    MemorySegment rest() {
        return rest;
    }

    /// How much memory the tiles of one thread take.
    static long bytes(int experts) {
        return (experts + 4L) * SIZE * Float.BYTES;
    }

    static MemorySegment tile() {
        return Arena.ofAuto().allocate((long) SIZE * Float.BYTES, 64);
    }

    /// Reads the base's values.
    void readBase(MergeTensor tensor, long from, int count) {
        read(tensor.base(), from, count, base);
    }

    /// Reads an expert's task vector; the base's values are not needed for it.
    void readTaskVector(MergeTensor tensor, int expert, long from, int count) {
        MergeTensor.Stored stored = tensor.experts().get(expert).stored();
        Kernels.difference(
                stored.dtype(),
                stored.slice(from, count),
                dev.tributary.tensors.Dtype.F32,
                base,
                experts[expert],
                count);
    }

    static void read(MergeTensor.Stored stored, long from, int count, MemorySegment target) {
        Kernels.widen(stored.dtype(), stored.data(), from, target, count);
    }
}
