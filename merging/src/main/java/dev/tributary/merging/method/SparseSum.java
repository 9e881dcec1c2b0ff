package dev.tributary.merging.method;

import java.lang.foreign.MemorySegment;
import java.util.function.Supplier;

/// The family of TIES, DARE, DELLA and Breadcrumbs: every task vector is thinned out, then they are
/// added up, either all of them or, entry by entry, those with the sign of the larger mass.
///
/// As in mergekit a mass of exactly zero elects plus, and means are weighted.
final class SparseSum implements TensorMerge {
    /// Below this a sum of weights divides nothing.
    static final double NO_DIVISOR = 1e-8;

    private final MergeTensor tensor;
    private final Supplier<Thinning[]> thinnings;
    private final float[] weights;
    private final boolean elects;
    private final boolean normalizes;
    private final float lambda;

    /// @param thinnings makes one for each expert, for the use of one thread
    /// @param elects whether signs are elected
    /// @param normalizes whether the sum is divided by the weights of those added up
    SparseSum(
            MergeTensor tensor,
            Supplier<Thinning[]> thinnings,
            boolean elects,
            boolean normalizes,
            double lambda) {
        this.tensor = tensor;
        this.thinnings = thinnings;
        this.elects = elects;
        this.normalizes = normalizes;
        this.lambda = (float) lambda;
        double[] stated = tensor.weights();
        this.weights = new float[stated.length];
        for (int e = 0; e < stated.length; e++) {
            weights[e] = (float) stated[e];
        }
    }

    @Override
    public void merge(long from, int count, MemorySegment target) {
        Thinning[] own = thinnings.get();
        try (Tiles tiles = new Tiles(weights.length)) {
            for (int at = 0; at < count; at += Tiles.SIZE) {
                int length = Math.min(Tiles.SIZE, count - at);
                tile(
                        tiles,
                        own,
                        from + at,
                        length,
                        target.asSlice((long) at * Float.BYTES, (long) length * Float.BYTES));
            }
        }
    }

    private void tile(Tiles tiles, Thinning[] own, long from, int count, MemorySegment target) {
        tiles.readBase(tensor, from, count);
        tiles.sum.fill((byte) 0);
        for (int e = 0; e < weights.length; e++) {
            tiles.readTaskVector(tensor, e, from, count);
            own[e].thin(tiles.experts[e], from, count);
            TileLoops.weigh(tiles.experts[e], weights[e], tiles.sum, count);
        }
        if (elects) {
            TileLoops.elect(
                    tiles.experts,
                    weights,
                    tiles.sum,
                    tiles.base,
                    lambda,
                    normalizes,
                    target,
                    count);
        } else {
            TileLoops.scaleOnto(tiles.base, lambda / divisor(), tiles.sum, target, count);
        }
    }

    private float divisor() {
        double sum = 0;
        for (float weight : weights) {
            sum += weight;
        }
        return normalizes && Math.abs(sum) >= NO_DIVISOR ? (float) sum : 1f;
    }
}
