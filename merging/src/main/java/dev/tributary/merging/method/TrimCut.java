package dev.tributary.merging.method;

import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.MagnitudeBracket;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

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

    /// Elements that are looked at for one cut after another: few enough for base and expert to
    /// stay in the second-level cache.
    private static final int CHUNK = 1 << 17;

    private static final int SPOT = 32;
    private static final int SMALLEST_SAMPLE = 1 << 12;
    private static final int LARGEST_SAMPLE = 1 << 17;

    /// Entries for each that is sampled.
    private static final int SAMPLED = 128;

    /// How many standard deviations of a sample's rank the cut may be off it.
    private static final double CERTAIN = 5;

    /// Magnitudes around a cut that are kept.
    private static final int MOST_KEPT = 1 << 21;

    /// Cuts that are looked for at the same time.
    private static final int MOST_TOGETHER = 8;

    /// How many of one expert's largest entries are wanted.
    record Wanted(int expert, long largest) {}

    /// What finding cuts holds in memory at most.
    static long peakBytes() {
        int threads = Workers.available();
        long own = threads * MagnitudeBracket.peakBytes(MOST_KEPT / threads);
        return MOST_TOGETHER * (own + MagnitudeBracket.peakBytes(MOST_KEPT));
    }

    /// Finds the largest entries of experts in one tensor, without a sort.
    ///
    /// @return a cut for each that is wanted
    static List<TrimCut> of(Workers workers, MergeTensor tensor, List<Wanted> wanted) {
        return of(workers, List.of(tensor), wanted).stream()
                .map(c -> c.get(tensor.name()))
                .toList();
    }

    /// Finds the largest entries of experts over several tensors at once.
    ///
    /// @return for each that is wanted, the cut of each tensor by its name
    static List<Map<String, TrimCut>> of(
            Workers workers, List<MergeTensor> tensors, List<Wanted> wanted) {
        long entries = tensors.stream().mapToLong(MergeTensor::elements).sum();
        List<Stretch> stretches = new ArrayList<>();
        for (MergeTensor tensor : tensors) {
            for (long from = 0; from < tensor.elements(); from += CHUNK) {
                int count = (int) Math.min(CHUNK, tensor.elements() - from);
                stretches.add(new Stretch(tensor, from, count));
            }
        }
        List<Map<String, TrimCut>> all = new ArrayList<>();
        List<Search> searches = new ArrayList<>();
        for (Wanted one : wanted) {
            Map<String, TrimCut> cuts = new HashMap<>();
            all.add(cuts);
            if (one.largest() > 0 && one.largest() < entries) {
                searches.add(new Search(one, stretches, cuts));
            } else {
                tensors.forEach(t -> cuts.put(t.name(), one.largest() <= 0 ? NONE : ALL));
            }
        }
        for (int from = 0; from < searches.size(); from += MOST_TOGETHER) {
            int to = Math.min(from + MOST_TOGETHER, searches.size());
            bracket(workers, searches.subList(from, to), stretches, entries);
        }
        searches.forEach(search -> search.cut(workers, tensors));
        return all;
    }

    /// A part of one tensor.
    private record Stretch(MergeTensor tensor, long from, int count) {
        private MergeTensor.Stored stored(int expert) {
            return tensor.experts().get(expert).stored();
        }

        void addTo(MagnitudeBracket bracket, int expert) {
            addTo(bracket, expert, 0, count);
        }

        void addTo(MagnitudeBracket bracket, int expert, long first, int some) {
            bracket.add(
                    stored(expert).dtype(),
                    stored(expert).slice(from + first, some),
                    tensor.base().dtype(),
                    tensor.base().slice(from + first, some),
                    some);
        }

        long exactly(int expert, int bits) {
            return MagnitudeBracket.count(
                    stored(expert).dtype(),
                    stored(expert).slice(from, count),
                    tensor.base().dtype(),
                    tensor.base().slice(from, count),
                    count,
                    bits);
        }
    }

    /// One pass for all, where samples tell about where the cuts are; another for those where the
    /// magnitudes around it lie far apart, and one more where the sample misled.
    private static void bracket(
            Workers workers, List<Search> searches, List<Stretch> stretches, long entries) {
        if (entries > LARGEST_SAMPLE) {
            searches.forEach(search -> search.guess(entries));
        }
        List<Search> open = searches;
        while (!open.isEmpty()) {
            List<Search> counting = open;
            int parts = Math.min(workers.threads(), stretches.size());
            List<List<Counted>> counted =
                    workers.map(parts, part -> count(counting, stretches, part, parts));
            for (int b = 0; b < counting.size(); b++) {
                int search = b;
                counting.get(b).narrow(counted.stream().map(of -> of.get(search)).toList());
            }
            open = counting.stream().filter(search -> !search.found.exact()).toList();
        }
    }

    /// What one part of the stretches, every so many-th, has for one search.
    ///
    /// @param marks how many magnitudes were kept after each stretch
    private record Counted(MagnitudeBracket bracket, List<Integer> marks) {}

    private static List<Counted> count(
            List<Search> searches, List<Stretch> stretches, int part, int parts) {
        List<Counted> all =
                searches.stream()
                        .map(s -> new Counted(s.bracket(MOST_KEPT / parts), new ArrayList<>()))
                        .toList();
        for (int s = part; s < stretches.size(); s += parts) {
            for (int b = 0; b < all.size(); b++) {
                MagnitudeBracket bracket = all.get(b).bracket();
                stretches.get(s).addTo(bracket, searches.get(b).wanted.expert());
                all.get(b).marks().add(bracket.kept());
            }
        }
        return all;
    }

    /// The way to one cut.
    private static final class Search {
        private final Wanted wanted;
        private final List<Stretch> stretches;
        private final Map<String, TrimCut> cuts;

        /// How many entries of each stretch are exactly at the cut; negative where that is unknown.
        private final long[] atCut;

        private MagnitudeBracket.Found found = new MagnitudeBracket.Found(0, Integer.MAX_VALUE, 0);

        Search(Wanted wanted, List<Stretch> stretches, Map<String, TrimCut> cuts) {
            this.wanted = wanted;
            this.stretches = stretches;
            this.cuts = cuts;
            this.atCut = new long[stretches.size()];
        }

        void guess(long entries) {
            int spots = Math.clamp(entries / SAMPLED, SMALLEST_SAMPLE, LARGEST_SAMPLE) / SPOT;
            int size = spots * SPOT;
            MagnitudeBracket sample = new MagnitudeBracket(0, Integer.MAX_VALUE, 0);
            sample(sample, entries, spots);
            double share = (double) wanted.largest() / entries;
            double rank = share * size;
            double margin = CERTAIN * Math.sqrt(rank * (1 - share)) + 2 * SPOT;
            int low = sample.find((long) (rank + margin)).map(f -> f.low()).orElse(0);
            int high =
                    sample.find((long) Math.floor(rank - margin))
                            .map(f -> f.high())
                            .orElse(Integer.MAX_VALUE);
            found = new MagnitudeBracket.Found(low, high, 0);
        }

        /// Magnitudes from all over. Which ones follows from the number of entries alone.
        private void sample(MagnitudeBracket sample, long entries, int spots) {
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
                in.addTo(sample, wanted.expert(), from, Math.min(SPOT, in.count()));
            }
        }

        MagnitudeBracket bracket(int mostKept) {
            return new MagnitudeBracket(found.low(), found.high(), mostKept);
        }

        /// @param parts what was counted of all stretches
        void narrow(List<Counted> parts) {
            MagnitudeBracket sum = bracket(MOST_KEPT);
            parts.forEach(part -> sum.add(part.bracket()));
            found =
                    sum.find(wanted.largest())
                            .orElse(new MagnitudeBracket.Found(0, Integer.MAX_VALUE, 0));
            for (int part = 0; part < parts.size() && found.exact(); part++) {
                locate(parts.get(part), part, parts.size());
            }
        }

        private void locate(Counted part, int first, int parts) {
            int from = 0;
            for (int i = 0; i < part.marks().size(); i++) {
                int to = part.marks().get(i);
                boolean known = part.bracket().kept() >= 0;
                atCut[first + i * parts] = known ? part.bracket().count(found.low(), from, to) : -1;
                from = to;
            }
        }

        void cut(Workers workers, List<MergeTensor> tensors) {
            long tooMany = found.countAtLeast() - wanted.largest();
            tensors.forEach(t -> cuts.put(t.name(), new TrimCut(found.low(), 0)));
            if (tooMany > 0) {
                drop(workers, tooMany);
            }
        }

        /// Leaves the first entries at the cut out, until as many are left as are wanted.
        private void drop(Workers workers, long tooMany) {
            long left = tooMany;
            int bits = found.low();
            int batch = 8 * workers.threads();
            for (int first = 0; left > 0; first += batch) {
                int from = first;
                int count = Math.min(batch, stretches.size() - first);
                List<Long> exactly = workers.map(count, i -> exactly(from + i));
                for (int i = 0; i < count && left > 0; i++) {
                    Stretch stretch = stretches.get(from + i);
                    long here = exactly.get(i);
                    long keptFrom =
                            here < left
                                    ? stretch.from() + stretch.count()
                                    : stretch.from()
                                            + indexAfter(stretch, wanted.expert(), bits, left);
                    cuts.put(stretch.tensor().name(), new TrimCut(bits, keptFrom));
                    left -= Math.min(here, left);
                }
            }
        }

        private long exactly(int stretch) {
            return atCut[stretch] >= 0
                    ? atCut[stretch]
                    : stretches.get(stretch).exactly(wanted.expert(), found.low());
        }
    }

    /// The index in a stretch after so many entries of exactly this magnitude.
    private static int indexAfter(Stretch stretch, int expert, int bits, long wanted) {
        MemorySegment difference = Tiles.take();
        try {
            return indexAfter(stretch, expert, bits, wanted, difference);
        } finally {
            Tiles.giveBack(difference);
        }
    }

    private static int indexAfter(
            Stretch stretch, int expert, int bits, long wanted, MemorySegment difference) {
        long left = wanted;
        for (int from = 0; from < stretch.count(); from += Tiles.SIZE) {
            int count = Math.min(Tiles.SIZE, stretch.count() - from);
            Kernels.difference(
                    stretch.stored(expert).dtype(),
                    stretch.stored(expert).slice(stretch.from() + from, count),
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
