package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.MagnitudeHistogram;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Task arithmetic in the trust region: entries in which task vectors point where another task's
/// loss is sensitive are left at the base (arXiv 2501.15065).
///
/// The conflict of an entry is `Omega = sum_(i != j) g_j |tau_i|`, with `g_j` the mean over
/// examples of the magnitude of task `j`'s gradient at the base, taken one example at a time. The
/// entries of the largest conflict, counted over the whole model, are left out. Entries without any
/// conflict are never left out, so one expert alone comes out whole.
///
/// @param lambda scale of the sum of what is left of the task vectors
/// @param removed share of all entries that is left out
/// @param zeroShot take `|tau_j|` in the place of `g_j`: no data then
/// @param labels whose labels the loss is taken of
/// @param calibrationItems at most so many examples of each task
public record Tatr(
        Setting lambda, double removed, boolean zeroShot, Labels labels, int calibrationItems)
        implements MergeMethod {
    private static final Option<Double> REMOVED =
            Option.real(
                    Bound.from("removed", 0, 1),
                    0.01,
                    "share of all entries, those of the largest conflict, that stay at the base");
    private static final Option<Boolean> ZERO_SHOT =
            Option.flag(
                    "zero_shot",
                    false,
                    "take the task vectors' magnitudes in the place of the gradients': no data is"
                            + " needed");
    private static final Option<Labels> LABELS =
            Option.choice(
                            "labels",
                            Labels.class,
                            Labels::id,
                            Labels.PREDICTED,
                            "where the labels of the loss come from: each expert's own answers, or"
                                    + " training examples")
                    .inRecipes(Labels.GIVEN);
    private static final Option<Integer> CALIBRATION_ITEMS =
            Option.whole(
                    Bound.from("calibration_items", 1, 100_000),
                    128,
                    "at most so many examples of each task");

    static final MethodEntry<Tatr> ENTRY =
            new MethodEntry<>(
                            Tatr.class,
                            "tatr",
                            "TATR",
                            "https://arxiv.org/abs/2501.15065",
                            "its trust region",
                            "θ₀ + λ Σ w_t τ_t, left at θ₀ where the magnitudes of ∇L_j and τ_i, i ≠ j, have"
                                    + " the largest products",
                            values ->
                                    new Tatr(
                                            values.get(TaskArithmetic.LAMBDA),
                                            values.get(REMOVED),
                                            values.get(ZERO_SHOT),
                                            values.get(LABELS),
                                            values.get(CALIBRATION_ITEMS)))
                    .weighted()
                    .option(TaskArithmetic.LAMBDA, Tatr::lambda)
                    .option(REMOVED, Tatr::removed)
                    .option(ZERO_SHOT, Tatr::zeroShot)
                    .option(LABELS, Tatr::labels)
                    .option(CALIBRATION_ITEMS, Tatr::calibrationItems);

    public Tatr {
        TaskArithmetic.LAMBDA.require(lambda);
        REMOVED.require(removed);
        CALIBRATION_ITEMS.require(calibrationItems);
    }

    @Override
    public MethodEntry<Tatr> entry() {
        return ENTRY;
    }

    @Override
    public Needs needs() {
        if (zeroShot) {
            return Needs.NOTHING;
        }
        return labels == Labels.GIVEN ? Needs.LABELS : Needs.CALIBRATION;
    }

    @Override
    public Set<Statistic> statistics() {
        return zeroShot ? Set.of() : Set.of(Statistic.ABSOLUTE_GRADIENT);
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        Conflict conflict = new Conflict(zeroShot ? null : inputs.statistics());
        int cut = conflict.cut(inputs.tensors(), removed);
        return tensor -> new Masked(tensor, conflict, cut, tensor.value(lambda));
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
            each(known, (tile, count) -> coarse.add(Dtype.F32, tile, Dtype.F32, zeros, count));
            MagnitudeHistogram.Refinement fine = coarse.refine(rank);
            each(known, (tile, count) -> fine.add(Dtype.F32, tile, Dtype.F32, zeros, count));
            Tiles.giveBack(zeros);
            return Math.max(1, TileLoops.magnitude(fine.threshold()));
        }

        private interface Visitor {
            void visit(MemorySegment conflicts, int count);
        }

        private void each(List<MergeTensor> tensors, Visitor visitor) {
            for (MergeTensor tensor : tensors) {
                List<MemorySegment> gradientsHere = sensitivities(tensor).orElseThrow();
                try (Tiles tiles = new Tiles(tensor.experts().size())) {
                    for (long from = 0; from < tensor.elements(); from += Tiles.SIZE) {
                        int count = (int) Math.min(Tiles.SIZE, tensor.elements() - from);
                        read(tiles, tensor, from, count);
                        fill(tiles, gradientsHere, from, count, tiles.extra);
                        visitor.visit(tiles.extra, count);
                    }
                }
            }
        }

        static void read(Tiles tiles, MergeTensor tensor, long from, int count) {
            tiles.readBase(tensor, from, count);
            for (int e = 0; e < tensor.experts().size(); e++) {
                tiles.readTaskVector(tensor, e, from, count);
            }
        }

        /// The conflict of each entry: every sensitivity times the magnitudes of all others.
        static void fill(
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

    /// Adds up the task vectors where their conflict is small.
    private record Masked(MergeTensor tensor, Conflict conflict, int cut, double lambda)
            implements TensorMerge {

        @Override
        public void merge(long from, int count, MemorySegment target) {
            double[] weights = tensor.weights();
            Optional<List<MemorySegment>> sensitivities = conflict.sensitivities(tensor);
            try (Tiles tiles = new Tiles(weights.length)) {
                for (int at = 0; at < count; at += Tiles.SIZE) {
                    int length = Math.min(Tiles.SIZE, count - at);
                    Conflict.read(tiles, tensor, from + at, length);
                    tiles.sum.fill((byte) 0);
                    for (int e = 0; e < weights.length; e++) {
                        Kernels.axpy((float) weights[e], tiles.experts[e], tiles.sum, length);
                    }
                    if (sensitivities.isPresent()) {
                        Conflict.fill(tiles, sensitivities.get(), from + at, length, tiles.extra);
                        mask(tiles, length);
                    }
                    TileLoops.scaleOnto(
                            tiles.base,
                            (float) lambda,
                            tiles.sum,
                            target.asSlice((long) at * Float.BYTES, (long) length * Float.BYTES),
                            length);
                }
            }
        }

        /// A NaN or an infinity stays, to be found in the result.
        private void mask(Tiles tiles, int count) {
            for (int i = 0; i < count; i++) {
                float conflict = TileLoops.get(tiles.extra, i);
                if (Float.isFinite(conflict) && TileLoops.magnitude(conflict) >= cut) {
                    TileLoops.set(tiles.sum, i, 0f);
                }
            }
        }
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        MergeCost merge = MergeCost.passes(tensors, 3, 3);
        if (zeroShot) {
            return merge;
        }
        MergeCost run = PassCost.withGradients(tensors, calibrationItems, 1);
        return merge.holding(run.peakBytes()).computing(run.operations());
    }
}
