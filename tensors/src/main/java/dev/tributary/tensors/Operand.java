package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// One operand of a kernel, handed to the loops a tile at a time. A tile is small enough to stay in
/// the first-level cache, and always native memory: a vector loop that has once met a segment over
/// an array is compiled several times slower for all that follow.
final class Operand implements AutoCloseable {
    /// Elements in a tile.
    static final int TILE = 2048;

    private final Dtype dtype;
    private final MemorySegment memory;
    private Optional<MemorySegment> copy = Optional.empty();
    private Optional<MemorySegment> widened = Optional.empty();

    /// An operand of some floating-point dtype.
    Operand(Dtype dtype, MemorySegment memory) {
        this.dtype = dtype;
        this.memory = memory;
    }

    /// An fp32 operand.
    Operand(MemorySegment memory) {
        this(Dtype.F32, memory);
    }

    /// How many elements the tile that begins here has.
    static int tileLength(long from, long count) {
        return (int) Math.min(TILE, count - from);
    }

    /// The tile's elements in their own dtype. Written to, it has to be [#put] back.
    MemorySegment raw(long from, int length) {
        if (memory.isNative()) {
            return slice(from, length);
        }
        MemorySegment tile = copy.orElseGet(Scratch::take);
        copy = Optional.of(tile);
        MemorySegment.copy(slice(from, length), 0, tile, 0, (long) length * dtype.bytes());
        return tile;
    }

    /// The tile's elements as fp32, to be read only.
    MemorySegment floats(long from, int length) {
        MemorySegment raw = raw(from, length);
        if (dtype == Dtype.F32) {
            return raw;
        }
        MemorySegment tile = widened.orElseGet(Scratch::take);
        widened = Optional.of(tile);
        Kernels.ARITHMETIC.widen(dtype, raw, tile, length);
        return tile;
    }

    /// Keeps what was written to the tile last handed out by [#raw].
    void put(long from, int length) {
        copy.ifPresent(tile ->
                MemorySegment.copy(tile, 0, slice(from, length), 0, (long) length * dtype.bytes()));
    }

    @Override
    public void close() {
        copy.ifPresent(Scratch::giveBack);
        widened.ifPresent(Scratch::giveBack);
    }

    private MemorySegment slice(long from, int length) {
        return memory.asSlice(from * dtype.bytes(), (long) length * dtype.bytes());
    }
}
