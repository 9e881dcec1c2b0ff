package dev.tributary.merging;

import dev.tributary.tensors.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/// TIES (arXiv 2306.01708, algorithm 1): trim every task vector to its largest entries, elect for
/// each entry the sign with the larger total mass, and average those that agree with it.
///
/// As in mergekit a sum of exactly zero elects plus, and the mean is weighted. Exactly
/// `floor(density * n)` entries are kept, also where many have the magnitude at the cut.
final class TiesMerge implements BlockMerge {
    /// Entries worked on at a time: small enough to stay in the cache with all members.
    private static final int TILE = 1 << 12;

    private final MergePlan plan;
    private final MergeMethod.Ties method;
    private final TrimCut[] cuts;
    private final long[] leftToDrop;
    private final float[] weights;
    private final float[] base = new float[TILE];
    private final float[] expert = new float[TILE];
    private final float[][] kept;
    private final float[] mass = new float[TILE];
    private final float[] merged = new float[TILE];

    TiesMerge(MergePlan plan, MergeMethod.Ties method) {
        this.plan = plan;
        this.method = method;
        int members = plan.members().size();
        this.cuts = new TrimCut[members];
        this.leftToDrop = new long[members];
        this.weights = new float[members];
        for (int m = 0; m < members; m++) {
            weights[m] = (float) plan.members().get(m).weight();
        }
        this.kept = new float[members][TILE];
        if (method.scope() == TrimScope.GLOBAL) {
            cut(plan.shared().stream().filter(SharedTensor::merged).toList());
        }
    }

    static double density(MergeMethod.Ties method, Member member) {
        Double own = member.density();
        return own != null ? own : method.density();
    }

    /// What this holds in memory beyond a block of the result.
    static long bytes(int members) {
        long histograms = (1L << 15) * Long.BYTES + (1L << 16) * Long.BYTES;
        return histograms + (members + 4L) * TILE * Float.BYTES;
    }

    @Override
    public void begin(SharedTensor tensor) {
        if (method.scope() == TrimScope.PER_TENSOR) {
            cut(List.of(tensor));
        }
    }

    private void cut(List<SharedTensor> tensors) {
        for (int m = 0; m < cuts.length; m++) {
            cuts[m] = TrimCut.find(plan, m, tensors, density(method, plan.members().get(m)));
            leftToDrop[m] = cuts[m].droppedAtCut();
        }
    }

    @Override
    public void merge(SharedTensor tensor, long from, int count, MemorySegment target) {
        for (int at = 0; at < count; at += TILE) {
            int length = Math.min(TILE, count - at);
            tile(tensor, from + at, length);
            MemorySegment.copy(
                    MemorySegment.ofArray(merged),
                    0,
                    target,
                    (long) at * Float.BYTES,
                    (long) length * Float.BYTES);
        }
    }

    private void tile(SharedTensor tensor, long from, int count) {
        Kernels.widen(
                tensor.baseDtype(),
                plan.base().data(tensor.baseName()),
                from,
                MemorySegment.ofArray(base),
                count);
        Arrays.fill(mass, 0, count, 0f);
        for (int m = 0; m < cuts.length; m++) {
            SharedTensor.Source source = tensor.members().get(m);
            Kernels.widen(
                    source.dtype(),
                    plan.members().get(m).expert().data(source.name()),
                    from,
                    MemorySegment.ofArray(expert),
                    count);
            if (leftToDrop[m] > 0) {
                dropAtCut(m, count);
            }
            TiesLoops.trim(expert, base, cuts[m].bits(), weights[m], kept[m], mass, count);
        }
        TiesLoops.merge(
                kept,
                weights,
                mass,
                base,
                (float) method.lambda(),
                method.normalize(),
                merged,
                count);
    }

    /// Takes back the first entries exactly at the cut, as many as are too many.
    private void dropAtCut(int member, int count) {
        int cut = cuts[member].bits();
        for (int i = 0; i < count && leftToDrop[member] > 0; i++) {
            if (TrimCut.magnitude(expert[i] - base[i]) == cut) {
                expert[i] = base[i];
                leftToDrop[member]--;
            }
        }
    }
}
