package dev.tributary.merging;

import dev.tributary.merging.method.Workers;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// How far experts have moved from their base: the Euclidean norms of the task vectors.
final class TaskVectorNorms {
    private TaskVectorNorms() {}

    static SortedMap<String, Double> of(MergePlan plan) {
        SortedMap<String, Double> norms = new TreeMap<>();
        try (Workers workers = Workers.create()) {
            List<Double> squares = workers.map(plan.members().size(), m -> square(plan, m));
            for (int m = 0; m < squares.size(); m++) {
                norms.put(plan.members().get(m).task(), Math.sqrt(squares.get(m)));
            }
        }
        return norms;
    }

    private static double square(MergePlan plan, int member) {
        MemorySegment difference = MergeExecutor.nativeBlock(Float.BYTES);
        double square = 0;
        for (SharedTensor tensor : plan.shared()) {
            if (tensor.merged()) {
                long elements = tensor.elements();
                for (long from = 0; from < elements; from += MergeExecutor.BLOCK_ELEMENTS) {
                    long count = Math.min(MergeExecutor.BLOCK_ELEMENTS, elements - from);
                    difference(plan, tensor, member, from, count, difference);
                    square += Kernels.squaredNorm(difference, count);
                }
            }
        }
        return square;
    }

    /// A stretch of a task vector: expert minus base, fp32.
    static void difference(
            MergePlan plan,
            SharedTensor tensor,
            int member,
            long from,
            long count,
            MemorySegment target) {
        target.asSlice(0, count * Float.BYTES).fill((byte) 0);
        SharedTensor.Source source = tensor.members().get(member);
        Kernels.accumulateDifference(
                target,
                1f,
                source.dtype(),
                MergeExecutor.slice(
                        plan.members().get(member).expert().data(source.name()),
                        source.dtype().bytes(),
                        from,
                        count),
                tensor.baseDtype(),
                MergeExecutor.slice(
                        plan.base().data(tensor.baseName()),
                        tensor.baseDtype().bytes(),
                        from,
                        count),
                count);
    }
}
