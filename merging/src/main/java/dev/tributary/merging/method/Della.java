package dev.tributary.merging.method;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/// DELLA (arXiv 2406.11617): entries of each task vector are dropped at random, small ones more
/// often than large ones, and each that is kept is divided by its chance of being kept; then signs
/// are elected as in TIES (`della`) or all are added up (`della_linear`).
///
/// Within a row the chance rises with the rank of the magnitude, from `density - epsilon` for the
/// smallest to `density + epsilon` for the largest. Magnitudes less than a 32nd of an octave apart
/// may share their mean rank, so no row is sorted. Masks are functions of seed, task, tensor and
/// index.
///
/// @param elects whether signs are elected
/// @param density the share of entries that is kept; an expert may state its own
/// @param epsilon how far the chance of an entry may be from the density
/// @param lambda scale of the merged task vector
/// @param rescale divide what is kept by its chance
/// @param normalize divide by the weights of those added up
/// @param seed of the masks
public record Della(
        boolean elects,
        Setting density,
        Setting epsilon,
        Setting lambda,
        boolean rescale,
        boolean normalize,
        long seed)
        implements MergeMethod {
    private static final String PAPER = "https://arxiv.org/abs/2406.11617";
    private static final Bound SHARE = Bound.above("density", 0, 1);
    private static final Bound SPREAD = Bound.from("epsilon", 0, 0.5);
    private static final Option<Setting> DENSITY =
            Option.number("density", SHARE, 0.5, "share of a task vector's entries that is kept")
                    .perExpert()
                    .inRecipes(Setting.ONE);
    private static final Option<Setting> EPSILON =
            Option.number(
                            "epsilon",
                            SPREAD,
                            0.15,
                            "how far the chance of the smallest and the largest entry of a row is"
                                    + " from the density")
                    .perExpert();
    private static final Option<Setting> LAMBDA =
            Option.number(
                    "lambda", Bound.anyNumber("lambda"), 1, "scale of the merged task vector");
    private static final Option<Boolean> RESCALE =
            Option.flag("rescale", true, "divide what is kept by its chance");
    private static final Option<Boolean> NORMALIZE =
            Option.flag("normalize", true, "divide by the weights of those added up");
    private static final Option<Boolean> PLAIN_SUM =
            Option.flag("normalize", false, "divide by the sum of the weights");
    private static final Option<Long> SEED =
            Option.seed(0, "of the masks; the same seed, the same masks");

    static final MethodEntry<Della> TIES =
            entry(
                    "della",
                    "DELLA",
                    "as TIES, over τ_t thinned out at random, small entries first",
                    NORMALIZE,
                    true);
    static final MethodEntry<Della> LINEAR =
            entry(
                    "della_linear",
                    "DELLA, linear",
                    "θ₀ + λ Σ w_t τ_t, each τ_t thinned out at random, small entries first",
                    PLAIN_SUM,
                    false);

    private static MethodEntry<Della> entry(
            String id, String title, String formula, Option<Boolean> normalize, boolean elects) {
        Function<OptionValues, Della> build =
                values ->
                        new Della(
                                elects,
                                values.get(DENSITY),
                                values.get(EPSILON),
                                values.get(LAMBDA),
                                values.get(RESCALE),
                                values.get(normalize),
                                values.get(SEED));
        return new MethodEntry<>(Della.class, id, title, PAPER, "MagPrune", formula, build)
                .weighted()
                .elementwise()
                .option(DENSITY, Della::density)
                .option(EPSILON, Della::epsilon)
                .scale(LAMBDA, Della::lambda)
                .option(RESCALE, Della::rescale)
                .option(normalize, Della::normalize)
                .option(SEED, Della::seed)
                .withoutEffect("int8_mask", Ties.NO_MASK);
    }

    public Della {
        density.values().forEach(SHARE::require);
        epsilon.values().forEach(SPREAD::require);
        lambda.values().forEach(Bound.anyNumber("lambda")::require);
    }

    @Override
    public MethodEntry<Della> entry() {
        return elects ? TIES : LINEAR;
    }

    @Override
    public List<Fault> faults(MergeInputs inputs) {
        for (MergeTensor tensor : inputs.tensors()) {
            for (int e = 0; e < tensor.experts().size(); e++) {
                double share = tensor.value(e, DENSITY, density);
                double spread = tensor.value(e, EPSILON, epsilon);
                if (share < 1 && (share - spread <= 0 || share + spread >= 1)) {
                    return List.of(
                            new Fault(
                                    FailureCode.BAD_OPTION,
                                    tensor.experts().get(e).task() + " " + tensor.name(),
                                    "density %s with epsilon %s leaves chances outside of (0, 1)"
                                            .formatted(share, spread)));
                }
            }
        }
        return List.of();
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor ->
                new SparseSum(
                        tensor,
                        () -> {
                            List<Thinning> masks = new ArrayList<>();
                            for (int e = 0; e < tensor.experts().size(); e++) {
                                masks.add(mask(tensor, e));
                            }
                            return masks.toArray(Thinning[]::new);
                        },
                        elects,
                        normalize,
                        tensor.value(lambda));
    }

    private Thinning mask(MergeTensor tensor, int expert) {
        double share = tensor.value(expert, DENSITY, density);
        return share >= 1
                ? Thinning.NONE
                : new RankedMask(
                        tensor,
                        expert,
                        share,
                        tensor.value(expert, EPSILON, epsilon),
                        rescale,
                        Draws.key(seed, tensor.experts().get(expert).task(), tensor.name()));
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return MergeCost.passes(tensors, 2, 2);
    }

    /// Masks of one expert in one tensor, for one thread: keeps the chances of the row it was in
    /// last.
    private static final class RankedMask implements Thinning {
        /// Sixteen octaves below a row's largest magnitude, 32 steps each; what is smaller still
        /// shares the lowest step.
        private static final int BINS = 1 << 9;

        private static final int DROPPED_BITS = 18;

        private final MergeTensor tensor;
        private final int expert;
        private final double lowest;
        private final double spread;
        private final boolean rescale;
        private final long key;
        private final int[] counts = new int[BINS];
        private final float[] chances = new float[BINS];
        private long row = -1;
        private int floor;

        RankedMask(
                MergeTensor tensor,
                int expert,
                double share,
                double epsilon,
                boolean rescale,
                long key) {
            this.tensor = tensor;
            this.expert = expert;
            this.lowest = share - epsilon;
            this.spread = 2 * epsilon;
            this.rescale = rescale;
            this.key = key;
        }

        @Override
        public void thin(MemorySegment entries, long from, int count) {
            MemorySegment chance = Tiles.take();
            thin(entries, from, count, chance);
            Tiles.giveBack(chance);
        }

        /// @param chance room for a tile
        private void thin(MemorySegment entries, long from, int count, MemorySegment chance) {
            long columns = tensor.columns();
            int at = 0;
            while (at < count) {
                long here = (from + at) / columns;
                int end = (int) Math.min(count, (here + 1) * columns - from);
                if (here != row) {
                    rank(here, columns, chance);
                }
                MemorySegment part = entries.asSlice((long) at * Float.BYTES);
                TileLoops.lookUp(part, DROPPED_BITS, floor, chances, chance, end - at);
                TileLoops.thinEach(part, chance, key, from + at, rescale, end - at);
                at = end;
            }
        }

        private void rank(long wanted, long columns, MemorySegment piece) {
            row = wanted;
            long first = wanted * columns;
            int largest = 0;
            int length = 0;
            for (long at = 0; at < columns; at += length) {
                length = read(first + at, columns - at, piece);
                largest = Math.max(largest, TileLoops.largest(piece, length));
            }
            floor = Math.max(0, (largest >>> DROPPED_BITS) - (BINS - 1));
            Arrays.fill(counts, 0);
            for (long at = 0; at < columns; at += length) {
                if (columns > length) {
                    length = read(first + at, columns - at, piece);
                }
                TileLoops.tally(piece, DROPPED_BITS, floor, counts, length);
            }
            float slope = columns > 1 ? (float) (spread / (columns - 1)) : 0;
            float from = (float) (columns > 1 ? lowest : lowest + spread / 2);
            int below = 0;
            for (int bin = 0; bin < BINS; bin++) {
                int here = counts[bin];
                chances[bin] = from + slope * (below + 0.5f * (here - 1));
                below += here;
            }
        }

        private int read(long from, long left, MemorySegment piece) {
            int count = (int) Math.min(Tiles.SIZE, left);
            MergeTensor.Stored stored = tensor.experts().get(expert).stored();
            Kernels.difference(
                    stored.dtype(),
                    stored.slice(from, count),
                    tensor.base().dtype(),
                    tensor.base().slice(from, count),
                    piece,
                    count);
            return count;
        }
    }
}
