package dev.tributary.merging.method;

import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.MagnitudeHistogram;
import java.lang.foreign.MemorySegment;
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

    /// Finds a share of the largest entries of one expert in one tensor, in two passes and without
    /// a sort.
    static TrimCut of(MergeTensor tensor, int expert, long wanted) {
        return of(List.of(tensor), expert, wanted).getOrDefault(tensor.name(), ALL);
    }

    /// Finds the largest entries of one expert over several tensors at once.
    ///
    /// @return the cut of each tensor by its name
    static Map<String, TrimCut> of(List<MergeTensor> tensors, int expert, long wanted) {
        long entries = tensors.stream().mapToLong(MergeTensor::elements).sum();
        Map<String, TrimCut> cuts = new HashMap<>();
        if (wanted >= entries || wanted <= 0) {
            tensors.forEach(t -> cuts.put(t.name(), wanted <= 0 ? NONE : ALL));
            return cuts;
        }
        MagnitudeHistogram coarse = new MagnitudeHistogram();
        for (MergeTensor tensor : tensors) {
            MergeTensor.Stored stored = tensor.experts().get(expert).stored();
            coarse.add(
                    stored.dtype(),
                    stored.data(),
                    tensor.base().dtype(),
                    tensor.base().data(),
                    tensor.elements());
        }
        MagnitudeHistogram.Refinement fine = coarse.refine(wanted);
        for (MergeTensor tensor : tensors) {
            MergeTensor.Stored stored = tensor.experts().get(expert).stored();
            fine.add(
                    stored.dtype(),
                    stored.data(),
                    tensor.base().dtype(),
                    tensor.base().data(),
                    tensor.elements());
        }
        int bits = Float.floatToRawIntBits(fine.threshold());
        long tooMany = fine.countAtLeast() - wanted;
        for (MergeTensor tensor : tensors) {
            Place place = tooMany == 0 ? new Place(0, 0) : place(tensor, expert, bits, tooMany);
            cuts.put(tensor.name(), new TrimCut(bits, place.index()));
            tooMany = place.left();
        }
        return cuts;
    }

    /// The index after so many entries at the cut, and how many are left for the next tensor.
    private record Place(long index, long left) {}

    private static Place place(MergeTensor tensor, int expert, int bits, long tooMany) {
        MemorySegment difference = Tiles.take();
        try {
            return place(tensor, expert, bits, tooMany, difference);
        } finally {
            Tiles.giveBack(difference);
        }
    }

    private static Place place(
            MergeTensor tensor, int expert, int bits, long tooMany, MemorySegment difference) {
        MergeTensor.Stored stored = tensor.experts().get(expert).stored();
        long left = tooMany;
        for (long from = 0; from < tensor.elements(); from += Tiles.SIZE) {
            int count = (int) Math.min(Tiles.SIZE, tensor.elements() - from);
            Kernels.difference(
                    stored.dtype(),
                    stored.slice(from, count),
                    tensor.base().dtype(),
                    tensor.base().slice(from, count),
                    difference,
                    count);
            for (int i = 0; i < count; i++) {
                if (TileLoops.magnitude(TileLoops.get(difference, i)) == bits && --left == 0) {
                    return new Place(from + i + 1, 0);
                }
            }
        }
        return new Place(tensor.elements(), left);
    }

    /// Zeroes what is not among the largest.
    void keepLargest(MemorySegment entries, long from, int count) {
        TileLoops.keepFrom(entries, bits, count);
        for (int i = 0; i < count && from + i < keptFrom; i++) {
            if (TileLoops.magnitude(TileLoops.get(entries, i)) == bits) {
                TileLoops.set(entries, i, 0f);
            }
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
