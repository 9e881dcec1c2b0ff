package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.MagnitudeHistogram;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// SCE (FuseChat, arXiv 2408.07990), tensor by tensor: select the entries in which the task vectors
/// differ most, calculate each expert's coefficient from the squares of what it has there, erase
/// the entries against the elected sign.
///
/// @param selectTopk the share of the entries with any variance that is selected
/// @param lambda scale of the merged task vector
public record Sce(Setting selectTopk, Setting lambda) implements MergeMethod {
    private static final Bound SHARE = Bound.above("select_topk", 0, 1);
    private static final Option<Setting> SELECT_TOPK =
            Option.number(
                            "select_topk",
                            SHARE,
                            0.1,
                            "share of the entries in which the experts differ that is selected, by"
                                    + " variance")
                    .inRecipes(Setting.ONE);
    private static final Option<Setting> LAMBDA =
            Option.number(
                    "lambda", Bound.anyNumber("lambda"), 1, "scale of the merged task vector");

    static final MethodEntry<Sce> ENTRY =
            new MethodEntry<>(
                            Sce.class,
                            "sce",
                            "SCE",
                            "https://arxiv.org/abs/2408.07990",
                            "select, calculate, erase",
                            "θ₀ + λ · weighted mean of the τ_t that agree in sign, over the entries"
                                    + " of largest variance, weights from squared entries",
                            values -> new Sce(values.get(SELECT_TOPK), values.get(LAMBDA)))
                    .elementwise()
                    .option(SELECT_TOPK, Sce::selectTopk)
                    .scale(LAMBDA, Sce::lambda)
                    .withoutEffect("int8_mask", Ties.NO_MASK);

    /// Elements a thread takes at a time when squares are summed.
    private static final long CHUNK = 1 << 18;

    public Sce {
        selectTopk.values().forEach(SHARE::require);
        lambda.values().forEach(Bound.anyNumber("lambda")::require);
    }

    @Override
    public MethodEntry<Sce> entry() {
        return ENTRY;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return MergeCost.passes(tensors, 5, 5).holding(((1L << 15) + (1L << 16)) * Long.BYTES);
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            double share = tensor.value(selectTopk);
            Selected selected = new Selected(tensor, share >= 1 ? TrimCut.ALL : cut(tensor, share));
            float[] weights = weights(selected, inputs.workers());
            float scale = (float) tensor.value(lambda);
            return (from, count, target) -> merge(selected, weights, scale, from, count, target);
        };
    }

    /// Where the entries of largest variance are.
    private static TrimCut cut(MergeTensor tensor, double share) {
        MagnitudeHistogram coarse = new MagnitudeHistogram();
        MemorySegment zero = Arena.ofAuto().allocate((long) Tiles.SIZE * Float.BYTES, 64);
        long[] varied = {0};
        Selected all = new Selected(tensor, TrimCut.ALL);
        all.eachVariance((variance, from, count) -> {
            coarse.add(Dtype.F32, variance, Dtype.F32, zero, count);
            for (int i = 0; i < count; i++) {
                varied[0] += TileLoops.magnitude(TileLoops.get(variance, i)) != 0 ? 1 : 0;
            }
        });
        long wanted = (long) (share * varied[0]);
        if (wanted == 0) {
            return TrimCut.NONE;
        }
        MagnitudeHistogram.Refinement fine = coarse.refine(wanted);
        all.eachVariance(
                (variance, from, count) -> fine.add(Dtype.F32, variance, Dtype.F32, zero, count));
        int bits = Float.floatToRawIntBits(fine.threshold());
        long tooMany = fine.countAtLeast() - wanted;
        long[] keptFrom = {0};
        long[] left = {tooMany};
        if (tooMany > 0) {
            all.eachVariance((variance, from, count) -> {
                for (int i = 0; i < count && left[0] > 0; i++) {
                    if (TileLoops.magnitude(TileLoops.get(variance, i)) == bits && --left[0] == 0) {
                        keptFrom[0] = from + i + 1;
                    }
                }
            });
        }
        return new TrimCut(bits, keptFrom[0]);
    }

    private static float[] weights(Selected selected, Workers workers) {
        int experts = selected.tensor().experts().size();
        long elements = selected.tensor().elements();
        int chunks = (int) ((elements + CHUNK - 1) / CHUNK);
        List<double[]> parts =
                workers.map(
                        chunks,
                        c -> squares(selected, c * CHUNK, Math.min(CHUNK, elements - c * CHUNK)));
        double[] squares = new double[experts];
        double sum = 0;
        for (double[] part : parts) {
            for (int e = 0; e < experts; e++) {
                squares[e] += part[e];
                sum += part[e];
            }
        }
        float[] weights = new float[experts];
        for (int e = 0; e < experts; e++) {
            weights[e] = (float) (sum == 0 ? 1.0 / experts : squares[e] / sum);
        }
        return weights;
    }

    private static double[] squares(Selected selected, long from, long count) {
        double[] squares = new double[selected.tensor().experts().size()];
        try (Tiles tiles = new Tiles(squares.length)) {
            for (long at = 0; at < count; at += Tiles.SIZE) {
                int length = (int) Math.min(Tiles.SIZE, count - at);
                selected.read(tiles, from + at, length);
                for (int e = 0; e < squares.length; e++) {
                    squares[e] += Kernels.squaredNorm(tiles.experts[e], length);
                }
            }
        }
        return squares;
    }

    private static void merge(
            Selected selected,
            float[] weights,
            float scale,
            long from,
            int count,
            MemorySegment target) {
        try (Tiles tiles = new Tiles(weights.length)) {
            for (int at = 0; at < count; at += Tiles.SIZE) {
                int length = Math.min(Tiles.SIZE, count - at);
                selected.read(tiles, from + at, length);
                tiles.sum.fill((byte) 0);
                for (MemorySegment entries : tiles.experts) {
                    TileLoops.weigh(entries, 1f, tiles.sum, length);
                }
                for (int e = 0; e < weights.length; e++) {
                    TileLoops.weigh(tiles.experts[e], weights[e], tiles.extra, length);
                }
                TileLoops.elect(
                        tiles.experts,
                        weights,
                        tiles.sum,
                        tiles.base,
                        scale,
                        true,
                        target.asSlice((long) at * Float.BYTES, (long) length * Float.BYTES),
                        length);
            }
        }
    }

    /// The task vectors of one tensor where their variance reaches a cut.
    private record Selected(MergeTensor tensor, TrimCut cut) {

        private interface VarianceReader {
            void read(MemorySegment variance, long from, int count);
        }

        /// Reads the base and the task vectors, zero where they are not selected.
        void read(Tiles tiles, long from, int count) {
            readAll(tiles, from, count);
            if (cut.equals(TrimCut.ALL)) {
                return;
            }
            variance(tiles, count);
            cut.keepLargest(tiles.sum, from, count);
            for (MemorySegment entries : tiles.experts) {
                for (int i = 0; i < count; i++) {
                    if (TileLoops.get(tiles.sum, i) == 0) {
                        TileLoops.set(entries, i, TileLoops.get(entries, i) * 0f);
                    }
                }
            }
        }

        private void readAll(Tiles tiles, long from, int count) {
            tiles.readBase(tensor, from, count);
            for (int e = 0; e < tiles.experts.length; e++) {
                tiles.readTaskVector(tensor, e, from, count);
            }
        }

        void eachVariance(VarianceReader reader) {
            try (Tiles tiles = new Tiles(tensor.experts().size())) {
                for (long from = 0; from < tensor.elements(); from += Tiles.SIZE) {
                    int count = (int) Math.min(Tiles.SIZE, tensor.elements() - from);
                    readAll(tiles, from, count);
                    variance(tiles, count);
                    reader.read(tiles.sum, from, count);
                }
            }
        }

        /// The variance over the experts, entry by entry: the mean square of what is left without
        /// the mean.
        private static void variance(Tiles tiles, int count) {
            int experts = tiles.experts.length;
            tiles.extra.fill((byte) 0);
            for (MemorySegment entries : tiles.experts) {
                Kernels.axpy(1f, entries, tiles.extra, count);
            }
            tiles.sum.fill((byte) 0);
            MemorySegment rest = tiles.rest;
            for (MemorySegment entries : tiles.experts) {
                MemorySegment.copy(entries, 0, rest, 0, (long) count * Float.BYTES);
                Kernels.axpy(-1f / experts, tiles.extra, rest, count);
                TileLoops.addSquares(rest, tiles.sum, count);
            }
        }
    }
}
