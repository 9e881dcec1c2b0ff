package dev.tributary.merging.method;

import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.MagnitudeBracket;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// Which entries of a task vector are its largest: those larger in magnitude than the cut, and of
/// those exactly at the cut the ones from an index on, so that exactly the wanted number is left.
///
/// Magnitudes are compared as the bits of their fp32 value without the sign, which order as the
/// values do, with NaNs above all.
///
/// @param bits the magnitude at the cut
/// @param keptFrom index in the tensor from which entries of exactly this magnitude belong to the
///   largest
record TrimCut(int bits, long keptFrom) {
    /// All are among the largest.
    static final TrimCut ALL = new TrimCut(0, 0);

    /// None is, but for NaNs and infinities, which stay to be found.
    static final TrimCut NONE = new TrimCut(Float.floatToRawIntBits(Float.POSITIVE_INFINITY), 0);

    /// Entries up to which they are simply sorted.
    private static final int FEW = 1 << 15;

    private static final int CHUNK = 1 << 18;
    private static final int SPOT = 32;
    private static final int SMALLEST_SAMPLE = 1 << 12;
    private static final int LARGEST_SAMPLE = 1 << 16;

    /// What finding a cut holds in memory at most.
    static long peakBytes() {
        long sample = 2L * LARGEST_SAMPLE * Integer.BYTES;
        long bins = (long) MagnitudeBracket.MOST_BINS * Integer.BYTES;
        return sample + Workers.available() * bins;
    }

    /// Finds a share of the largest entries of one expert in one tensor, without a sort.
    static TrimCut of(Workers workers, MergeTensor tensor, int expert, long wanted) {
        return of(workers, List.of(tensor), expert, wanted).getOrDefault(tensor.name(), ALL);
    }

    /// Finds the largest entries of one expert over several tensors at once.
    ///
    /// @return the cut of each tensor by its name
    static Map<String, TrimCut> of(
            Workers workers, List<MergeTensor> tensors, int expert, long wanted) {
        long entries = tensors.stream().mapToLong(MergeTensor::elements).sum();
        Map<String, TrimCut> cuts = new HashMap<>();
        if (wanted >= entries || wanted <= 0) {
            tensors.forEach(t -> cuts.put(t.name(), wanted <= 0 ? NONE : ALL));
            return cuts;
        }
        List<Stretch> stretches = new ArrayList<>();
        for (MergeTensor tensor : tensors) {
            for (long from = 0; from < tensor.elements(); from += CHUNK) {
                int count = (int) Math.min(CHUNK, tensor.elements() - from);
                stretches.add(new Stretch(tensor, expert, from, count));
            }
        }
        MagnitudeBracket.Found cut =
                entries <= FEW
                        ? sorted(stretches, wanted)
                        : bracketed(workers, stretches, entries, wanted);
        long tooMany = cut.countAtLeast() - wanted;
        tensors.forEach(t -> cuts.put(t.name(), new TrimCut(cut.low(), 0)));
        if (tooMany > 0) {
            drop(workers, stretches, cut.low(), tooMany, cuts);
        }
        return cuts;
    }

    /// A part of one expert's task vector in one tensor.
    private record Stretch(MergeTensor tensor, int expert, long from, int count) {
        private MergeTensor.Stored stored() {
            return tensor.experts().get(expert).stored();
        }

        void addTo(MagnitudeBracket bracket) {
            bracket.add(
                    stored().dtype(),
                    stored().slice(from, count),
                    tensor.base().dtype(),
                    tensor.base().slice(from, count),
                    count);
        }

        int[] magnitudes() {
            int[] all = new int[count];
            magnitudes(0, count, all, 0, new int[MagnitudeBracket.ROOM]);
            return all;
        }

        void magnitudes(long first, int some, int[] target, int at, int[] room) {
            MagnitudeBracket.all(
                    stored().dtype(),
                    stored().slice(from + first, some),
                    tensor.base().dtype(),
                    tensor.base().slice(from + first, some),
                    some,
                    target,
                    at,
                    room);
        }

        long exactly(int bits) {
            return MagnitudeBracket.count(
                    stored().dtype(),
                    stored().slice(from, count),
                    tensor.base().dtype(),
                    tensor.base().slice(from, count),
                    count,
                    bits);
        }
    }

    private static MagnitudeBracket.Found sorted(List<Stretch> stretches, long wanted) {
        int[] all =
                stretches.stream()
                        .flatMapToInt(s -> IntStream.of(s.magnitudes()))
                        .sorted()
                        .toArray();
        int bits = all[all.length - (int) wanted];
        int first = all.length - (int) wanted;
        while (first > 0 && all[first - 1] == bits) {
            first--;
        }
        return new MagnitudeBracket.Found(bits, bits, all.length - first);
    }

    /// One pass, where a sample tells about where the cut is; another where the magnitudes around
    /// it lie far apart, and one more where the sample misled.
    private static MagnitudeBracket.Found bracketed(
            Workers workers, List<Stretch> stretches, long entries, long wanted) {
        int[] sample = sample(stretches, entries);
        double share = (double) wanted / entries;
        double rank = share * sample.length;
        double margin = 6 * Math.sqrt(rank * (1 - share)) + 2 * SPOT;
        int highAt = sample.length - 1 - (int) Math.floor(rank - margin);
        int lowAt = sample.length - 1 - (int) (rank + margin);
        MagnitudeBracket.Found found =
                new MagnitudeBracket.Found(
                        lowAt < 0 ? 0 : sample[lowAt],
                        highAt >= sample.length ? Integer.MAX_VALUE : sample[highAt],
                        0);
        do {
            found =
                    counted(workers, stretches, found.low(), found.high())
                            .find(wanted)
                            .orElse(new MagnitudeBracket.Found(0, Integer.MAX_VALUE, 0));
        } while (!found.exact());
        return found;
    }

    private static MagnitudeBracket counted(
            Workers workers, List<Stretch> stretches, int low, int high) {
        int parts = Math.min(workers.threads(), stretches.size());
        List<MagnitudeBracket> brackets =
                workers.map(
                        parts,
                        part -> {
                            MagnitudeBracket bracket = new MagnitudeBracket(low, high);
                            for (int s = part; s < stretches.size(); s += parts) {
                                stretches.get(s).addTo(bracket);
                            }
                            return bracket;
                        });
        MagnitudeBracket all = brackets.getFirst();
        brackets.stream().skip(1).forEach(all::add);
        return all;
    }

    /// Magnitudes from all over, sorted. Which ones follows from the number of entries alone.
    private static int[] sample(List<Stretch> stretches, long entries) {
        int size = Math.clamp(entries / 32, SMALLEST_SAMPLE, LARGEST_SAMPLE);
        int spots = size / SPOT;
        int[] sample = new int[size];
        int[] room = new int[MagnitudeBracket.ROOM];
        int filled = 0;
        int stretch = 0;
        long begin = 0;
        for (int spot = 0; spot < spots; spot++) {
            long at = entries / spots * spot;
            while (at >= begin + stretches.get(stretch).count()) {
                begin += stretches.get(stretch).count();
                stretch++;
            }
            Stretch in = stretches.get(stretch);
            long from = Math.min(at - begin, Math.max(0, in.count() - SPOT));
            int count = Math.min(SPOT, in.count());
            in.magnitudes(from, count, sample, filled, room);
            filled += count;
        }
        int[] sorted = Arrays.copyOf(sample, filled);
        Arrays.sort(sorted);
        return sorted;
    }

    /// Leaves the first entries at the cut out, until as many are left as are wanted.
    private static void drop(
            Workers workers,
            List<Stretch> stretches,
            int bits,
            long tooMany,
            Map<String, TrimCut> cuts) {
        long left = tooMany;
        int batch = 8 * workers.threads();
        for (int first = 0; left > 0; first += batch) {
            List<Stretch> next =
                    stretches.subList(first, Math.min(first + batch, stretches.size()));
            List<Long> exactly = workers.map(next.size(), s -> next.get(s).exactly(bits));
            for (int s = 0; s < next.size() && left > 0; s++) {
                Stretch stretch = next.get(s);
                long here = exactly.get(s);
                long keptFrom =
                        here < left
                                ? stretch.from() + stretch.count()
                                : stretch.from() + indexAfter(stretch, bits, left);
                cuts.put(stretch.tensor().name(), new TrimCut(bits, keptFrom));
                left -= Math.min(here, left);
            }
        }
    }

    /// The index in a stretch after so many entries of exactly this magnitude.
    private static int indexAfter(Stretch stretch, int bits, long wanted) {
        MemorySegment difference = Tiles.take();
        try {
            return indexAfter(stretch, bits, wanted, difference);
        } finally {
            Tiles.giveBack(difference);
        }
    }

    private static int indexAfter(
            Stretch stretch, int bits, long wanted, MemorySegment difference) {
        long left = wanted;
        for (int from = 0; from < stretch.count(); from += Tiles.SIZE) {
            int count = Math.min(Tiles.SIZE, stretch.count() - from);
            Kernels.difference(
                    stretch.stored().dtype(),
                    stretch.stored().slice(stretch.from() + from, count),
                    stretch.tensor().base().dtype(),
                    stretch.tensor().base().slice(stretch.from() + from, count),
                    difference,
                    count);
            for (int i = 0; i < count; i++) {
                if (TileLoops.magnitude(TileLoops.get(difference, i)) == bits && --left == 0) {
                    return from + i + 1;
                }
            }
        }
        throw new IllegalStateException("a stretch has fewer entries at the cut than were counted");
    }

    /// Zeroes what is not among the largest.
    void keepLargest(MemorySegment entries, long from, int count) {
        int ties = Math.clamp(keptFrom - from, 0, count);
        if (ties > 0) {
            TileLoops.keepFrom(entries, bits + 1, ties);
        }
        if (ties < count) {
            TileLoops.keepFrom(entries.asSlice((long) ties * Float.BYTES), bits, count - ties);
        }
    }

    /// Zeroes the largest.
    void dropLargest(MemorySegment entries, long from, int count) {
        int ties = Math.clamp(keptFrom - from, 0, count);
        TileLoops.dropFrom(entries, bits + 1, ties);
        MemorySegment rest = entries.asSlice((long) ties * Float.BYTES);
        TileLoops.dropFrom(rest, bits, count - ties);
    }
}
