package dev.tributary.merging;

/// Finds the cut that keeps an exact number of a task vector's largest entries, without sorting and
/// without storing the vector: one pass counts magnitudes by their upper 16 bits, a second one
/// counts those in the deciding bin by their lower 15 bits.
final class TrimSearch {
    private static final int LOW_BITS = 15;
    private static final int LOW_MASK = (1 << LOW_BITS) - 1;

    private final long[] upper = new long[1 << 16];
    private final long[] lower = new long[1 << LOW_BITS];
    private long kept;
    private int bin;

    /// Starts anew.
    ///
    /// @param toKeep how many entries are to be kept, at least one and fewer than there are
    void begin(long toKeep) {
        java.util.Arrays.fill(upper, 0);
        java.util.Arrays.fill(lower, 0);
        kept = toKeep;
    }

    /// First pass, over every entry.
    void count(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            upper[TrimCut.magnitude(values[i]) >>> LOW_BITS]++;
        }
    }

    /// Between the passes: the bin in which the cut lies.
    void chooseBin() {
        bin = upper.length - 1;
        while (upper[bin] < kept) {
            kept -= upper[bin];
            bin--;
        }
    }

    /// Second pass, over the same entries.
    void refine(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            int bits = TrimCut.magnitude(values[i]);
            if (bits >>> LOW_BITS == bin) {
                lower[bits & LOW_MASK]++;
            }
        }
    }

    /// The cut, after both passes.
    TrimCut cut() {
        int low = lower.length - 1;
        while (lower[low] < kept) {
            kept -= lower[low];
            low--;
        }
        return new TrimCut(bin << LOW_BITS | low, kept);
    }
}
