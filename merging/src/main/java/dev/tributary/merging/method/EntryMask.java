package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.LongConsumer;

/// Some of a tensor's entries: one bit each, outside of the heap. Threads may mark entries of
/// different words at the same time.
final class EntryMask {
    private final MemorySegment words;

    EntryMask(long entries) {
        long count = (entries + Long.SIZE - 1) / Long.SIZE;
        this.words = Arena.ofAuto().allocate(Math.max(1, count) * Long.BYTES, Long.BYTES);
    }

    /// What masks of these tensors hold in memory.
    static long bytes(List<MergeTensor> tensors) {
        return tensors.stream().mapToLong(t -> t.elements() / Byte.SIZE + Long.BYTES).sum();
    }

    void set(long entry) {
        long word = entry / Long.SIZE;
        words.setAtIndex(ValueLayout.JAVA_LONG, word, word(word) | 1L << (entry % Long.SIZE));
    }

    /// Visits every marked entry of a stretch, from the first to the last.
    void each(long from, long count, LongConsumer visitor) {
        long end = from + count;
        for (long word = from / Long.SIZE; word * Long.SIZE < end; word++) {
            long bits = word(word);
            while (bits != 0) {
                long entry = word * Long.SIZE + Long.numberOfTrailingZeros(bits);
                if (entry >= from && entry < end) {
                    visitor.accept(entry);
                }
                bits &= bits - 1;
            }
        }
    }

    /// Whether any entry of a stretch is marked.
    boolean any(long from, long count) {
        boolean[] found = new boolean[1];
        each(from, count, _ -> found[0] = true);
        return found[0];
    }

    private long word(long index) {
        return words.getAtIndex(ValueLayout.JAVA_LONG, index);
    }
}
