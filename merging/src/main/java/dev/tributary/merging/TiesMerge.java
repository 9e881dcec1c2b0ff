package dev.tributary.merging;

import dev.tributary.tensors.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;

/// TIES (arXiv 2306.01708, algorithm 1): trim every task vector to its largest entries, elect for
/// each entry the sign with the larger total mass, and average those that agree with it.
///
/// As in mergekit a sum of exactly zero elects plus, and the mean is weighted. Entries of equal
/// magnitude at the cut are kept lowest index first, so exactly `floor(density * n)` are kept and
/// the result does not depend on a sort.
final class TiesMerge implements BlockMerge {
    private final MergePlan plan;
    private final MergeMethod.Ties method;
    private final TrimCut[] cuts;
    private final long[] leftAtCut;
    private final float[] difference = new float[MergeExecutor.BLOCK_ELEMENTS];
    private final float[][] kept;
    private final double[] mass = new double[MergeExecutor.BLOCK_ELEMENTS];
    private final TrimSearch search = new TrimSearch();

    TiesMerge(MergePlan plan, MergeMethod.Ties method) {
        this.plan = plan;
        this.method = method;
        int members = plan.members().size();
        this.cuts = new TrimCut[members];
        this.leftAtCut = new long[members];
        this.kept = new float[members][MergeExecutor.BLOCK_ELEMENTS];
        if (method.scope() == TrimScope.GLOBAL) {
            cut(plan.shared().stream().filter(SharedTensor::merged).toList());
        }
    }

    static double density(MergeMethod.Ties method, Member member) {
        Double own = member.density();
        return own != null ? own : method.density();
    }

    @Override
    public void begin(SharedTensor tensor) {
        if (method.scope() == TrimScope.PER_TENSOR) {
            cut(List.of(tensor));
        }
    }

    private void cut(List<SharedTensor> tensors) {
        for (int m = 0; m < cuts.length; m++) {
            cuts[m] = cut(tensors, m);
            leftAtCut[m] = cuts[m].keptAtCut();
        }
    }

    private TrimCut cut(List<SharedTensor> tensors, int member) {
        long entries = tensors.stream().mapToLong(SharedTensor::elements).sum();
        long toKeep = (long) (density(method, plan.members().get(member)) * entries);
        if (toKeep >= entries) {
            return TrimCut.NONE;
        }
        if (toKeep == 0) {
            return new TrimCut(Integer.MAX_VALUE, 0);
        }
        search.begin(toKeep);
        eachDifference(tensors, member, search::count);
        search.chooseBin();
        eachDifference(tensors, member, search::refine);
        return search.cut();
    }

    private void eachDifference(
            List<SharedTensor> tensors, int member, ObjIntConsumer<float[]> consumer) {
        for (SharedTensor tensor : tensors) {
            long elements = tensor.elements();
            for (long from = 0; from < elements; from += difference.length) {
                int count = (int) Math.min(difference.length, elements - from);
                difference(tensor, member, from, count);
                consumer.accept(difference, count);
            }
        }
    }

    private void difference(SharedTensor tensor, int member, long from, int count) {
        TaskVectorNorms.difference(
                plan, tensor, member, from, count, MemorySegment.ofArray(difference));
    }

    @Override
    public void merge(SharedTensor tensor, long from, int count, MemorySegment target) {
        Arrays.fill(mass, 0, count, 0.0);
        for (int m = 0; m < cuts.length; m++) {
            difference(tensor, m, from, count);
            trim(m, count);
            float weight = (float) plan.members().get(m).weight();
            float[] trimmed = kept[m];
            for (int i = 0; i < count; i++) {
                float weighted = weight * trimmed[i];
                trimmed[i] = weighted;
                mass[i] += weighted;
            }
        }
        float[] merged = agreeing(count);
        Kernels.widen(tensor.baseDtype(), plan.base().data(tensor.baseName()), from, target, count);
        Kernels.axpy((float) method.lambda(), MemorySegment.ofArray(merged), target, count);
    }

    /// Copies a member's differences, zero where they fall below its cut. A NaN is above every cut,
    /// so it shows in the result.
    private void trim(int member, int count) {
        float[] target = kept[member];
        int cut = cuts[member].bits();
        long left = leftAtCut[member];
        for (int i = 0; i < count; i++) {
            float value = difference[i];
            int bits = TrimCut.magnitude(value);
            boolean atCut = bits == cut && left > 0;
            if (atCut) {
                left--;
            }
            target[i] = bits > cut || atCut ? value : 0f;
        }
        leftAtCut[member] = left;
    }

    /// The disjoint mean: over the members whose entry has the elected sign.
    private float[] agreeing(int count) {
        double[] sum = new double[count];
        double[] weights = new double[count];
        for (int m = 0; m < cuts.length; m++) {
            float[] entries = kept[m];
            double weight = plan.members().get(m).weight();
            for (int i = 0; i < count; i++) {
                boolean agrees = mass[i] >= 0 ? entries[i] > 0 : entries[i] < 0;
                sum[i] += agrees ? entries[i] : 0;
                weights[i] += agrees ? weight : 0;
            }
        }
        for (int i = 0; i < count; i++) {
            boolean divides = method.normalize() && weights[i] != 0;
            double mean = divides ? sum[i] / weights[i] : sum[i];
            // Zero unless the mass is a NaN or an infinity, which agrees with no sign.
            double poison = mass[i] * 0.0;
            difference[i] = (float) (mean + poison);
        }
        return difference;
    }
}
