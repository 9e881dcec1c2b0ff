package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// Tensors whose experts have the base's own values wherever an entry is marked, so that their task
/// vectors are zero there. Nothing is written down: values are replaced as they are read.
final class MaskedTensors {
    /// The most elements any method reads at a time.
    private static final long LONGEST_STRETCH = 1 << 18;

    private final Map<String, Map<Thread, MemorySegment>> rooms = new ConcurrentHashMap<>();

    /// What reading holds in memory at most.
    static long roomBytes(List<MergeTensor> tensors) {
        long experts = tensors.isEmpty() ? 0 : tensors.getFirst().experts().size();
        return experts * Workers.available() * LONGEST_STRETCH * Double.BYTES;
    }

    MergeTensor of(MergeTensor tensor, EntryMask mask) {
        if (!mask.any(0, tensor.elements())) {
            return tensor;
        }
        List<MergeTensor.Expert> experts = new ArrayList<>();
        for (MergeTensor.Expert expert : tensor.experts()) {
            experts.add(
                    new MergeTensor.Expert(
                            expert.task(),
                            new Masked(
                                    expert.stored(),
                                    tensor.base(),
                                    mask,
                                    rooms.computeIfAbsent(
                                            expert.task(), _ -> new ConcurrentHashMap<>())),
                            expert.settings()));
        }
        return new MergeTensor(
                tensor.name(),
                tensor.shape(),
                tensor.depth(),
                tensor.group(),
                tensor.base(),
                experts);
    }

    /// One expert's values. In fp32 where the base is stored in another type, in which a value of
    /// the base might not exist.
    ///
    /// @param rooms what this expert's values are replaced in, by thread
    private record Masked(
            MergeTensor.Stored expert,
            MergeTensor.Stored base,
            EntryMask mask,
            Map<Thread, MemorySegment> rooms)
            implements MergeTensor.Stored {

        @Override
        public Dtype dtype() {
            return expert.dtype() == base.dtype() ? expert.dtype() : Dtype.F32;
        }

        @Override
        public long bytes() {
            return expert.bytes();
        }

        @Override
        public MemorySegment slice(long from, long count) {
            boolean same = expert.dtype() == base.dtype();
            MemorySegment own = expert.slice(from, count);
            if (same && !mask.any(from, count)) {
                return own;
            }
            int width = dtype().bytes();
            MemorySegment room = room(count * width);
            MemorySegment ofBase = base.slice(from, count);
            if (same) {
                room.copyFrom(own);
                mask.each(
                        from,
                        count,
                        entry ->
                                MemorySegment.copy(
                                        ofBase,
                                        (entry - from) * width,
                                        room,
                                        (entry - from) * width,
                                        width));
            } else {
                Kernels.widen(expert.dtype(), own, 0, room, count);
                mask.each(
                        from,
                        count,
                        entry ->
                                Kernels.widen(
                                        base.dtype(),
                                        ofBase,
                                        entry - from,
                                        room.asSlice((entry - from) * width, width),
                                        1));
            }
            return room;
        }

        private MemorySegment room(long bytes) {
            @Nullable MemorySegment known = rooms.get(Thread.currentThread());
            if (known == null || known.byteSize() < bytes) {
                known = Arena.ofAuto().allocate(bytes, Long.BYTES);
                rooms.put(Thread.currentThread(), known);
            }
            return known.asSlice(0, bytes);
        }
    }
}
