package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Finds the exact k-th largest magnitude among the elements of a task vector (expert minus base)
/// in one pass, where a sample has told about where it lies: what is above the bracket is counted,
/// and what is in it goes into a histogram, with a bin for every magnitude where the bracket is
/// narrow. A wide one finds a narrow one for a second pass.
///
/// Not thread-safe: threads fill their own and [#add(MagnitudeBracket)] them up. The order does not
/// matter.
public final class MagnitudeBracket {
    /// Bins of the widest bracket.
    public static final int MOST_BINS = 1 << 19;

    /// What [#all] needs to work in.
    public static final int ROOM = Operand.TILE + Arithmetic.LANES;

    private final int low;
    private final int high;
    private final int shift;
    private final int[] counts;
    private final int[] collected = new int[ROOM];
    private long above;
    private long inside;

    /// A bracket from one magnitude to another, both inclusive, as the bits of their fp32 values.
    public MagnitudeBracket(int low, int high) {
        if (low < 0 || high < low) {
            throw new IllegalArgumentException(
                    "a bracket goes from 0 up, was %d to %d".formatted(low, high));
        }
        this.low = low;
        this.high = high;
        int width = high - low;
        int bits = 0;
        while (width >>> bits >= MOST_BINS) {
            bits++;
        }
        this.shift = bits;
        this.counts = new int[(width >>> bits) + 1];
    }

    /// Counts the magnitudes of `expert - base`.
    public void add(
            Dtype expertDtype,
            MemorySegment expert,
            Dtype baseDtype,
            MemorySegment base,
            long count) {
        Tiles.forEach(
                expertDtype,
                expert,
                baseDtype,
                base,
                count,
                low,
                high,
                collected,
                found -> {
                    above += found >>> Integer.SIZE;
                    int size = (int) found;
                    inside += size;
                    int[] bins = counts;
                    int[] magnitudes = collected;
                    for (int i = 0; i < size; i++) {
                        bins[(magnitudes[i] - low) >>> shift]++;
                    }
                });
    }

    /// Adds what another bracket of the same magnitudes has counted.
    public void add(MagnitudeBracket other) {
        if (other.low != low || other.high != high) {
            throw new IllegalArgumentException("brackets of different magnitudes cannot be added");
        }
        above += other.above;
        inside += other.inside;
        for (int i = 0; i < counts.length; i++) {
            counts[i] += other.counts[i];
        }
    }

    /// Magnitudes between which the one looked for lies, and how many elements have at least the
    /// smaller one's.
    public record Found(int low, int high, long countAtLeast) {
        /// Whether the magnitude is known to its last bit.
        public boolean exact() {
            return low == high;
        }
    }

    /// Finds the magnitude of a rank, 1 for the largest; nothing where it is not in the bracket.
    public Optional<Found> find(long rank) {
        if (rank <= above || rank > above + inside) {
            return Optional.empty();
        }
        long atLeast = above;
        int bin = counts.length;
        while (atLeast < rank) {
            bin--;
            atLeast += counts[bin];
        }
        int from = low + (bin << shift);
        return Optional.of(
                new Found(from, (int) Math.min(high, from + (1L << shift) - 1), atLeast));
    }

    /// How many elements of `expert - base` have exactly this magnitude.
    public static long count(
            Dtype expertDtype,
            MemorySegment expert,
            Dtype baseDtype,
            MemorySegment base,
            long count,
            int bits) {
        long[] sum = new long[1];
        Tiles.forEach(
                expertDtype,
                expert,
                baseDtype,
                base,
                count,
                bits,
                bits,
                new int[ROOM],
                found -> sum[0] += (int) found);
        return sum[0];
    }

    /// The magnitudes of `expert - base`, in no particular order.
    ///
    /// @param all where they go, at least `count` of them from the index on
    /// @param tile room of at least [#ROOM], of any content afterwards
    public static void all(
            Dtype expertDtype,
            MemorySegment expert,
            Dtype baseDtype,
            MemorySegment base,
            int count,
            int[] all,
            int from,
            int[] tile) {
        int[] size = {from};
        Tiles.forEach(
                expertDtype,
                expert,
                baseDtype,
                base,
                count,
                0,
                Integer.MAX_VALUE,
                tile,
                found -> {
                    System.arraycopy(tile, 0, all, size[0], (int) found);
                    size[0] += (int) found;
                });
    }

    /// Hands the bracket kernel one tile after another.
    private interface Tiles {
        void found(long found);

        static void forEach(
                Dtype expertDtype,
                MemorySegment expert,
                Dtype baseDtype,
                MemorySegment base,
                long count,
                int low,
                int high,
                int[] collected,
                Tiles taker) {
            boolean brains = expertDtype == Dtype.BF16 && baseDtype == Dtype.BF16;
            try (Operand left = new Operand(expertDtype, expert);
                    Operand right = new Operand(baseDtype, base)) {
                for (long from = 0; from < count; from += Operand.TILE) {
                    int length = Operand.tileLength(from, count);
                    taker.found(
                            Kernels.ARITHMETIC.bracket(
                                    brains ? Dtype.BF16 : Dtype.F32,
                                    brains ? left.raw(from, length) : left.floats(from, length),
                                    brains ? right.raw(from, length) : right.floats(from, length),
                                    low,
                                    high,
                                    collected,
                                    length));
                }
            }
        }
    }
}
