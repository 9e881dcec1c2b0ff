package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.MagnitudeHistogram;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The entries in which task vectors do not point where another task's loss is sensitive; the
/// others are left at the base, whatever method merges the rest (arXiv 2501.15065).
///
/// The conflict of an entry is `Omega = sum_(i != j) g_j |tau_i|`, with `g_j` the mean over
/// examples of the magnitude of task `j`'s gradient at the base, taken one example at a time, or
/// without data `|tau_j|`. The entries of the largest conflict, counted over the whole model, are
/// left out: every task vector is zero there before the method sees it. Entries without any
/// conflict are never left out, so one expert alone comes out whole.
///
/// @param sensitivity what stands for `g_j`
/// @param removed share of all entries that is left out
/// @param calibrationItems at most so many examples of each task
public record TrustRegion(Sensitivity sensitivity, double removed, int calibrationItems) {
    static final Option<Sensitivity> SENSITIVITY =
            Option.choice(
                    "trust_region",
                    Sensitivity.class,
                    Sensitivity::id,
                    Sensitivity.NONE,
                    "leave entries of the largest conflict between tasks at the base before"
                            + " merging; a task's sensitivity is its task vector's magnitude"
                            + " (zero_shot) or its gradient's, of labels its expert predicts or of"
                            + " training examples (given)");
    static final Option<Double> REMOVED =
            Option.real(
                    Bound.from("trust_region_removed", 0, 1),
                    0.01,
                    "share of all entries, those of the largest conflict, that stay at the base");
    static final Option<Integer> CALIBRATION_ITEMS =
            Option.whole(
                    Bound.from("trust_region_items", 1, 100_000),
                    128,
                    "predicted and given: at most so many examples of each task");

    /// Elements a thread marks at a time; whole words of a mask.
    private static final long PART = 1 << 18;

    /// No entry is left out.
    public static final TrustRegion EVERYWHERE =
            new TrustRegion(
                    Sensitivity.NONE, REMOVED.poolDefault(), CALIBRATION_ITEMS.poolDefault());

    public TrustRegion {
        REMOVED.require(removed);
        CALIBRATION_ITEMS.require(calibrationItems);
    }

    /// Its options, in the order of the documentation.
    public static List<Option<?>> options() {
        return List.of(SENSITIVITY, REMOVED, CALIBRATION_ITEMS);
    }

    static TrustRegion of(OptionValues values) {
        return new TrustRegion(
                values.get(SENSITIVITY), values.get(REMOVED), values.get(CALIBRATION_ITEMS));
    }

    /// Whether any entry may be left out.
    public boolean leavesOut() {
        return sensitivity != Sensitivity.NONE;
    }

    /// Whether gradients have to be gathered.
    boolean runsModels() {
        return sensitivity.needs().runsModels();
    }

    Set<Statistic> statistics() {
        return runsModels() ? Set.of(Statistic.ABSOLUTE_GRADIENT) : Set.of();
    }

    /// Its parameters as text, those that change nothing left out.
    SequencedMap<String, String> text() {
        SequencedMap<String, String> text = new TreeMap<>();
        if (leavesOut()) {
            text.put(SENSITIVITY.name(), SENSITIVITY.text(sensitivity));
            text.put(REMOVED.name(), REMOVED.text(removed));
        }
        if (runsModels()) {
            text.put(CALIBRATION_ITEMS.name(), CALIBRATION_ITEMS.text(calibrationItems));
        }
        return text;
    }

    /// The arithmetic of a method over what lies within.
    MergeArithmetic within(MergeInputs inputs, MergeMethod method) {
        if (!leavesOut()) {
            return method.arithmetic(inputs);
        }
        Conflict conflict = new Conflict(runsModels() ? inputs.statistics() : null);
        int cut = conflict.cut(inputs.tensors(), removed);
        Map<String, MergeTensor> masked = new HashMap<>();
        List<MergeTensor> inOrder = new ArrayList<>();
        MaskedTensors masks = new MaskedTensors();
        for (MergeTensor tensor : inputs.tensors()) {
            MergeTensor within = masks.of(tensor, conflict.mask(inputs.workers(), tensor, cut));
            inOrder.add(within);
            masked.put(tensor.name(), within);
        }
        MergeArithmetic arithmetic = method.arithmetic(new Within(inputs, inOrder));
        return tensor -> arithmetic.of(masked.getOrDefault(tensor.name(), tensor));
    }

    /// What it costs beside the method: two passes to find the largest conflicts and one to mark
    /// them, a bit an entry, and room for the task vectors a thread is at.
    MergeCost cost(List<MergeTensor> tensors, MergeCost ofMethod) {
        if (!leavesOut()) {
            return ofMethod;
        }
        MergeCost passes = MergeCost.passes(tensors, 3, 3);
        MergeCost run =
                runsModels()
                        ? PassCost.withGradients(tensors, calibrationItems, 1)
                        : new MergeCost(0, 0, 0);
        long held =
                ofMethod.peakBytes() + EntryMask.bytes(tensors) + MaskedTensors.roomBytes(tensors);
        return new MergeCost(
                ofMethod.bytesToRead() + passes.bytesToRead() + run.bytesToRead(),
                Math.max(run.peakBytes(), held),
                ofMethod.operations() + run.operations());
    }

    /// What a method sees of the merge.
    private record Within(MergeInputs inputs, List<MergeTensor> tensors) implements MergeInputs {
        @Override
        public List<String> tasks() {
            return inputs.tasks();
        }

        @Override
        public Workers workers() {
            return inputs.workers();
        }

        @Override
        public Statistics statistics() {
            return inputs.statistics();
        }

        @Override
        public double coefficient(int expert, MergeTensor tensor) {
            return inputs.coefficient(expert, tensor);
        }
    }

    /// How much the task vectors of a tensor are in each other's way, entry by entry.
    ///
    /// @param gradients null to take the task vectors' magnitudes
    private record Conflict(@Nullable Statistics gradients) {

        /// The sensitivities of a tensor by expert; empty where its conflict is not known.
        Optional<List<MemorySegment>> sensitivities(MergeTensor tensor) {
            List<MemorySegment> found = new ArrayList<>();
            for (int e = 0; e < tensor.experts().size() && gradients != null; e++) {
                gradients.of(Statistic.ABSOLUTE_GRADIENT, e, tensor).ifPresent(found::add);
            }
            return gradients == null || found.size() == tensor.experts().size()
                    ? Optional.of(found)
                    : Optional.empty();
        }

        /// The bits from which a conflict is too large.
        int cut(List<MergeTensor> tensors, double share) {
            List<MergeTensor> known =
                    tensors.stream().filter(t -> sensitivities(t).isPresent()).toList();
            long entries = known.stream().mapToLong(MergeTensor::elements).sum();
            long rank = (long) (share * entries);
            if (rank == 0) {
                return Integer.MAX_VALUE;
            }
            MagnitudeHistogram coarse = new MagnitudeHistogram();
            MemorySegment zeros = Tiles.take().fill((byte) 0);
            each(known, (tile, _, count) -> coarse.add(Dtype.F32, tile, Dtype.F32, zeros, count));
            MagnitudeHistogram.Refinement fine = coarse.refine(rank);
            each(known, (tile, _, count) -> fine.add(Dtype.F32, tile, Dtype.F32, zeros, count));
            Tiles.giveBack(zeros);
            return Math.max(1, TileLoops.magnitude(fine.threshold()));
        }

        /// The entries of a tensor whose conflict is too large. A NaN or an infinity is none of
        /// them: it stays, to be found in the result.
        EntryMask mask(Workers workers, MergeTensor tensor, int cut) {
            EntryMask mask = new EntryMask(tensor.elements());
            if (cut == Integer.MAX_VALUE || sensitivities(tensor).isEmpty()) {
                return mask;
            }
            int parts = Math.toIntExact((tensor.elements() + PART - 1) / PART);
            workers.each(
                    parts,
                    part -> {
                        long from = (long) part * PART;
                        long to = Math.min(tensor.elements(), from + PART);
                        each(
                                tensor,
                                from,
                                to,
                                (tile, at, count) -> {
                                    for (int i = 0; i < count; i++) {
                                        float conflict = TileLoops.get(tile, i);
                                        if (Float.isFinite(conflict)
                                                && TileLoops.magnitude(conflict) >= cut) {
                                            mask.set(at + i);
                                        }
                                    }
                                });
                    });
            return mask;
        }

        private interface Visitor {
            /// @param from index of the tile's first entry in its tensor
            void visit(MemorySegment conflicts, long from, int count);
        }

        private void each(List<MergeTensor> tensors, Visitor visitor) {
            for (MergeTensor tensor : tensors) {
                each(tensor, 0, tensor.elements(), visitor);
            }
        }

        private void each(MergeTensor tensor, long begin, long end, Visitor visitor) {
            List<MemorySegment> gradientsHere = sensitivities(tensor).orElseThrow();
            int experts = tensor.experts().size();
            try (Tiles tiles = new Tiles(experts)) {
                for (long from = begin; from < end; from += Tiles.SIZE) {
                    int count = (int) Math.min(Tiles.SIZE, end - from);
                    tiles.readBase(tensor, from, count);
                    for (int e = 0; e < experts; e++) {
                        tiles.readTaskVector(tensor, e, from, count);
                    }
                    fill(tiles, gradientsHere, from, count, tiles.extra);
                    visitor.visit(tiles.extra, from, count);
                }
            }
        }

        /// The conflict of each entry: every sensitivity times the magnitudes of all others.
        private static void fill(
                Tiles tiles,
                List<MemorySegment> sensitivities,
                long from,
                int count,
                MemorySegment target) {
            int experts = tiles.experts.length;
            for (int i = 0; i < count; i++) {
                double all = 0;
                for (MemorySegment expert : tiles.experts) {
                    all += Math.abs(TileLoops.get(expert, i));
                }
                double conflict = 0;
                for (int e = 0; e < experts; e++) {
                    double own = Math.abs(TileLoops.get(tiles.experts[e], i));
                    double sensitivity =
                            sensitivities.isEmpty()
                                    ? own
                                    : sensitivities
                                            .get(e)
                                            .get(TileLoops.F32, (from + i) * Float.BYTES);
                    conflict += sensitivity * (experts == 1 ? 0 : all - own);
                }
                TileLoops.set(target, i, (float) conflict);
            }
        }
    }
}
