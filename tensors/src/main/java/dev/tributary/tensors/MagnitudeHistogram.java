package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;

/// Finds the exact k-th largest magnitude among the elements of a task vector (expert minus base)
/// that is as large as a model, without storing or sorting it.
///
/// The bits of a magnitude order like integers, so two histograms suffice, each filled by one pass
/// over all tensors: the first over the upper sixteen bits, the second over the lower sixteen bits
/// of those elements that share the upper bits of the one wanted. TIES (Yadav et al., 2023, section
/// 3) trims a task vector to its largest magnitudes; this is how the threshold is found.
///
/// Not thread-safe. The order in which tensors are added does not matter.
public final class MagnitudeHistogram {
    private static final int BITS = 16;
    private static final int COARSE_BINS = 1 << (BITS - 1);
    private static final int FINE_BINS = 1 << BITS;

    private final long[] counts = new long[COARSE_BINS];
    private final int[] tile = new int[Operand.TILE];
    private long elements;

    /// First pass: counts the magnitudes of `expert - base`.
    public void add(
            Dtype expertDtype,
            MemorySegment expert,
            Dtype baseDtype,
            MemorySegment base,
            long count) {
        forEachTile(
                tile,
                expertDtype,
                expert,
                baseDtype,
                base,
                count,
                length -> {
                    long[] bins = counts;
                    int[] magnitudes = tile;
                    for (int i = 0; i < length; i++) {
                        bins[magnitudes[i] >>> BITS]++;
                    }
                });
        elements += count;
    }

    /// How many elements were counted.
    public long elements() {
        return elements;
    }

    /// Begins the second pass, which has to see the same elements again.
    ///
    /// @param rank which magnitude is wanted, 1 for the largest, at most [#elements]
    public Refinement refine(long rank) {
        if (rank < 1 || rank > elements) {
            throw new IllegalArgumentException(
                    "the rank of a magnitude must lie in 1 to %d, was %d"
                            .formatted(elements, rank));
        }
        long above = 0;
        int bin = COARSE_BINS - 1;
        while (above + counts[bin] < rank) {
            above += counts[bin];
            bin--;
        }
        return new Refinement(bin, above, rank, counts[bin]);
    }

    private interface TileCounter {
        void count(int length);
    }

    private static void forEachTile(
            int[] tile,
            Dtype expertDtype,
            MemorySegment expert,
            Dtype baseDtype,
            MemorySegment base,
            long count,
            TileCounter counter) {
        try (Operand left = new Operand(expertDtype, expert);
                Operand right = new Operand(baseDtype, base)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                Kernels.ARITHMETIC.magnitudeBits(
                        left.floats(from, length), right.floats(from, length), tile, length);
                counter.count(length);
            }
        }
    }

    /// The second pass: resolves the magnitude of one rank to its last bit.
    public static final class Refinement {
        private final long[] counts = new long[FINE_BINS];
        private final int[] tile = new int[Operand.TILE];
        private final int coarseBin;
        private final long aboveCoarseBin;
        private final long rank;
        private final long expected;
        private long seen;

        private Refinement(int coarseBin, long aboveCoarseBin, long rank, long expected) {
            this.coarseBin = coarseBin;
            this.aboveCoarseBin = aboveCoarseBin;
            this.rank = rank;
            this.expected = expected;
        }

        /// Second pass: counts the magnitudes of `expert - base` once more.
        public void add(
                Dtype expertDtype,
                MemorySegment expert,
                Dtype baseDtype,
                MemorySegment base,
                long count) {
            forEachTile(
                    tile,
                    expertDtype,
                    expert,
                    baseDtype,
                    base,
                    count,
                    length -> {
                        for (int i = 0; i < length; i++) {
                            if (tile[i] >>> BITS == coarseBin) {
                                counts[tile[i] & (FINE_BINS - 1)]++;
                                seen++;
                            }
                        }
                    });
        }

        /// The magnitude of the rank asked for, exactly.
        public float threshold() {
            return Float.intBitsToFloat((coarseBin << BITS) | fineBin());
        }

        /// How many elements have at least that magnitude: the rank, or more where magnitudes are
        /// equal.
        public long countAtLeast() {
            int last = fineBin();
            long count = aboveCoarseBin;
            for (int bin = FINE_BINS - 1; bin >= last; bin--) {
                count += counts[bin];
            }
            return count;
        }

        private int fineBin() {
            if (seen != expected) {
                throw new IllegalStateException(
                        "the second pass met %d elements near the threshold, the first %d: both have to see the same tensors"
                                .formatted(seen, expected));
            }
            long above = aboveCoarseBin;
            int bin = FINE_BINS - 1;
            while (above + counts[bin] < rank) {
                above += counts[bin];
                bin--;
            }
            return bin;
        }
    }
}
