package dev.tributary.merging.method;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// The base plus a multiple of a mean of the task vectors in which every entry of every expert has
/// a weight of its own; where the weights of an entry sum up to nothing, the plain mean.
final class WeightedMean implements TensorMerge {
    private final MergeTensor tensor;
    private final List<MemorySegment> weights;
    private final double[] factors;
    private final double[] norms;
    private final double floor;
    private final double scale;

    /// Entries weigh `factor * max(weight / norm, floor)`.
    ///
    /// @param weights fp32, by expert, as long as the tensor
    WeightedMean(
            MergeTensor tensor,
            List<MemorySegment> weights,
            double[] factors,
            double[] norms,
            double floor,
            double scale) {
        this.tensor = tensor;
        this.weights = weights;
        this.factors = factors.clone();
        this.norms = norms.clone();
        this.floor = floor;
        this.scale = scale;
    }

    @Override
    public void merge(long from, int count, MemorySegment target) {
        double[] sum = new double[Tiles.SIZE];
        double[] divisor = new double[Tiles.SIZE];
        try (Tiles tiles = new Tiles(weights.size())) {
            for (int at = 0; at < count; at += Tiles.SIZE) {
                int length = Math.min(Tiles.SIZE, count - at);
                tile(tiles, sum, divisor, from + at, length);
                for (int i = 0; i < length; i++) {
                    double mean = divisor[i] == 0 ? plainMean(tiles, i) : sum[i] / divisor[i];
                    double base = TileLoops.get(tiles.base, i);
                    TileLoops.set(target, at + i, (float) (base + scale * mean));
                }
            }
        }
    }

    private void tile(Tiles tiles, double[] sum, double[] divisor, long from, int count) {
        tiles.readBase(tensor, from, count);
        Arrays.fill(sum, 0);
        Arrays.fill(divisor, 0);
        for (int e = 0; e < weights.size(); e++) {
            tiles.readTaskVector(tensor, e, from, count);
            MemorySegment own =
                    weights.get(e).asSlice(from * Float.BYTES, (long) count * Float.BYTES);
            for (int i = 0; i < count; i++) {
                double weight = factors[e] * Math.max(TileLoops.get(own, i) / norms[e], floor);
                sum[i] += weight * TileLoops.get(tiles.experts[e], i);
                divisor[i] += weight;
            }
        }
    }

    private static double plainMean(Tiles tiles, int index) {
        double sum = 0;
        for (MemorySegment expert : tiles.experts) {
            sum += TileLoops.get(expert, index);
        }
        return sum / tiles.experts.length;
    }
}
