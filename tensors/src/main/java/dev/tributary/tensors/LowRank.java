package dev.tributary.tensors;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/// A matrix of a model with an adapter, `W + s B A` (Hu et al. 2022,
/// <https://arxiv.org/abs/2106.09685>): the base's numbers and two narrow factors. Its values are
/// made while they are read, a stretch at a time.
public final class LowRank {
    private static final long ALIGNMENT = 64;

    private final Dtype baseDtype;
    private final MemorySegment base;
    private final long columns;
    private final int rank;
    private final MemorySegment right;
    private final float[] left;
    private final Map<Thread, MemorySegment> rooms;

    /// @param base `rows x columns`, of any floating dtype
    /// @param right `rank x columns` in fp32
    /// @param left `rows x rank`, scaled
    /// @param rooms where stretches are made, of all matrices of one adapter
    LowRank(
            Dtype baseDtype,
            MemorySegment base,
            long columns,
            int rank,
            MemorySegment right,
            float[] left,
            Map<Thread, MemorySegment> rooms) {
        this.baseDtype = baseDtype;
        this.base = base;
        this.columns = columns;
        this.rank = rank;
        this.right = right;
        this.left = left;
        this.rooms = rooms;
    }

    /// What has to be read for all values.
    public long bytes() {
        return base.byteSize() + right.byteSize() + (long) left.length * Float.BYTES;
    }

    /// A stretch of the values in fp32, until the same thread asks this adapter for another one.
    public MemorySegment slice(long from, long count) {
        long bytes = count * Float.BYTES;
        MemorySegment room = rooms.get(Thread.currentThread());
        if (room == null || room.byteSize() < bytes) {
            room = Arena.ofAuto().allocate(bytes, ALIGNMENT);
            rooms.put(Thread.currentThread(), room);
        }
        MemorySegment target = room.asSlice(0, bytes);
        write(from, target);
        return target;
    }

    /// Writes a stretch of the values in fp32, as many as the target holds.
    void write(long from, MemorySegment target) {
        long count = target.byteSize() / Float.BYTES;
        Kernels.widen(baseDtype, base, from, target, count);
        for (long done = 0; done < count; ) {
            int row = Math.toIntExact((from + done) / columns);
            long column = (from + done) % columns;
            long length = Math.min(columns - column, count - done);
            MemorySegment part = floats(target, done, length);
            for (int k = 0; k < rank; k++) {
                MemorySegment direction = floats(right, k * columns + column, length);
                Kernels.axpy(left[row * rank + k], direction, part, length);
            }
            done += length;
        }
    }

    private static MemorySegment floats(MemorySegment memory, long from, long count) {
        return memory.asSlice(from * Float.BYTES, count * Float.BYTES);
    }
}
