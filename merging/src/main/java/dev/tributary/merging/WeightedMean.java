package dev.tributary.merging;

import dev.tributary.tensors.Kernels;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// The weighted mean of the experts (model soups, arXiv 2203.05482), or their weighted sum.
final class WeightedMean implements BlockMerge {
    private final List<Member> members;
    private final double divisor;
    private final MemorySegment widened = MergeExecutor.nativeBlock(Float.BYTES);

    WeightedMean(MergePlan plan, MergeMethod.WeightAveraging method) {
        this.members = plan.members();
        this.divisor =
                method.normalize() ? members.stream().mapToDouble(Member::weight).sum() : 1.0;
    }

    @Override
    public void merge(SharedTensor tensor, long from, int count, MemorySegment target) {
        target.asSlice(0, (long) count * Float.BYTES).fill((byte) 0);
        for (int m = 0; m < members.size(); m++) {
            SharedTensor.Source source = tensor.members().get(m);
            Member member = members.get(m);
            Kernels.widen(
                    source.dtype(), member.expert().data(source.name()), from, widened, count);
            Kernels.axpy((float) (member.weight() / divisor), widened, target, count);
        }
    }
}
