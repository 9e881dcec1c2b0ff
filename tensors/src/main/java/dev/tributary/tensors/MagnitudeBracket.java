package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Finds the exact k-th largest magnitude among the elements of a task vector (expert minus base)
/// in one pass, where a sample has told about where it lies: what is above the bracket is counted,
/// and what is in it is kept. Of more than may be kept only a histogram is left, which finds a
/// narrower bracket for a second pass.
///
/// Not thread-safe: threads fill their own and [#add(MagnitudeBracket)] them up. The order does not
/// matter.
public final class MagnitudeBracket {
    private static final int BIN_BITS = 16;
    private static final int MOST_BINS = 1 << BIN_BITS;

    private static final int FIRST_ROOM = Operand.TILE + Arithmetic.LANES;

    /// What a bracket holds at most, in bytes, that keeps so many magnitudes.
    public static long peakBytes(long mostKept) {
        return (2 * mostKept + MOST_BINS + 2L * FIRST_ROOM) * Integer.BYTES;
    }

    private final int low;
    private final int high;
    private final int mostKept;
    private final int[] collected = new int[FIRST_ROOM];
    private int[] kept = new int[FIRST_ROOM];
    private int size;
    private long above;
    private @Nullable Histogram histogram;

    /// A bracket from one magnitude to another, both inclusive, as the bits of their fp32 values.
    ///
    /// @param mostKept magnitudes in it up to which the answer is exact
    public MagnitudeBracket(int low, int high, int mostKept) {
        if (low < 0 || high < low) {
            throw new IllegalArgumentException(
                    "a bracket goes from 0 up, was %d to %d".formatted(low, high));
        }
        this.low = low;
        this.high = high;
        this.mostKept = mostKept;
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
                    keep(collected, (int) found);
                });
    }

    /// Adds what another bracket of the same magnitudes has counted.
    public void add(MagnitudeBracket other) {
        if (other.low != low || other.high != high) {
            throw new IllegalArgumentException("brackets of different magnitudes cannot be added");
        }
        above += other.above;
        keep(other.kept, other.size);
        if (other.histogram != null) {
            counted().add(other.histogram);
        }
    }

    private void keep(int[] magnitudes, int count) {
        if (histogram == null && size + count <= mostKept) {
            if (size + count > kept.length) {
                kept = Arrays.copyOf(kept, Math.max(size + count, 2 * kept.length));
            }
            System.arraycopy(magnitudes, 0, kept, size, count);
            size += count;
        } else {
            counted().add(magnitudes, count);
        }
    }

    /// How many magnitudes are kept, in the order in which they were added; negative where only a
    /// histogram is left.
    public int kept() {
        return histogram == null ? size : -1;
    }

    /// How many of those kept have exactly this magnitude, between two places.
    public long count(int bits, int from, int to) {
        long count = 0;
        for (int i = from; i < to; i++) {
            count += kept[i] == bits ? 1 : 0;
        }
        return count;
    }

    /// The histogram that takes over.
    private Histogram counted() {
        if (histogram == null) {
            histogram = new Histogram(low, high);
            histogram.add(kept, size);
            kept = new int[0];
            size = 0;
        }
        return histogram;
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
        if (rank <= above) {
            return Optional.empty();
        }
        if (histogram != null) {
            return histogram.find(rank, above);
        }
        Histogram bins = new Histogram(low, high);
        bins.add(kept, size);
        Optional<Found> found = bins.find(rank, above);
        while (found.isPresent() && !found.get().exact()) {
            Histogram finer = new Histogram(found.get().low(), found.get().high());
            found = finer.find(rank, above + finer.add(kept, size));
        }
        return found;
    }

    /// Counts magnitudes of a bracket, in bins of one or more.
    private static final class Histogram {
        private final int low;
        private final int high;
        private final int shift;
        private final int[] counts;
        private long inside;

        Histogram(int low, int high) {
            this.low = low;
            this.high = high;
            int width = high - low;
            this.shift = Math.max(0, Integer.SIZE - Integer.numberOfLeadingZeros(width) - BIN_BITS);
            this.counts = new int[(width >>> shift) + 1];
        }

        /// Answers how many are above it.
        long add(int[] magnitudes, int count) {
            long larger = 0;
            long counted = 0;
            for (int i = 0; i < count; i++) {
                int magnitude = magnitudes[i];
                if (magnitude > high) {
                    larger++;
                } else if (magnitude >= low) {
                    counts[(magnitude - low) >>> shift]++;
                    counted++;
                }
            }
            inside += counted;
            return larger;
        }

        void add(Histogram other) {
            inside += other.inside;
            for (int i = 0; i < counts.length; i++) {
                counts[i] += other.counts[i];
            }
        }

        /// @param above how many are larger than the bracket
        Optional<Found> find(long rank, long above) {
            if (rank > above + inside) {
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
                new int[FIRST_ROOM],
                found -> sum[0] += (int) found);
        return sum[0];
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
