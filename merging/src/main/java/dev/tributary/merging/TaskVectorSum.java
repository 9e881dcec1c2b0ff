package dev.tributary.merging;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.TaskVectorMerge;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The base plus a linear combination of the task vectors, `theta_0 + sum_t c_t tau_t`, with one
/// coefficient a task (task arithmetic, arXiv 2212.04089) or one a task and layer group (DivMerge,
/// arXiv 2509.02108, section 3.1).
final class TaskVectorSum implements BlockMerge {
    private static final double NO_DIVISOR = 1e-8;

    private final MergePlan plan;
    private final double[][] coefficients;

    private TaskVectorSum(MergePlan plan, double[][] coefficients) {
        this.plan = plan;
        this.coefficients = coefficients;
    }

    static TaskVectorSum of(MergePlan plan, MergeMethod.TaskArithmetic method) {
        List<Member> members = plan.members();
        double weights = members.stream().mapToDouble(Member::weight).sum();
        double divisor = method.normalize() && Math.abs(weights) >= NO_DIVISOR ? weights : 1.0;
        double[][] coefficients = new double[members.size()][plan.groups().size()];
        for (int m = 0; m < members.size(); m++) {
            Arrays.fill(coefficients[m], method.lambda() * members.get(m).weight() / divisor);
        }
        return new TaskVectorSum(plan, coefficients);
    }

    static TaskVectorSum of(MergePlan plan, Coefficients learnt) {
        double[][] coefficients = new double[plan.members().size()][plan.groups().size()];
        for (int m = 0; m < coefficients.length; m++) {
            for (int g = 0; g < coefficients[m].length; g++) {
                coefficients[m][g] = learnt.get(plan.members().get(m).task(), plan.groups().get(g));
            }
        }
        return new TaskVectorSum(plan, coefficients);
    }

    @Override
    public void merge(SharedTensor tensor, long from, int count, MemorySegment target) {
        List<TaskVectorMerge.Scaled> experts = new ArrayList<>(coefficients.length);
        for (int m = 0; m < coefficients.length; m++) {
            SharedTensor.Source source = tensor.members().get(m);
            MemorySegment expert = plan.members().get(m).expert().data(source.name());
            experts.add(
                    new TaskVectorMerge.Scaled(
                            source.dtype(),
                            BlockMerge.slice(expert, source.dtype().bytes(), from, count),
                            (float) coefficients[m][tensor.group()]));
        }
        Dtype dtype = tensor.baseDtype();
        MemorySegment base = plan.base().data(tensor.baseName());
        new TaskVectorMerge(dtype, BlockMerge.slice(base, dtype.bytes(), from, count), count)
                .sum(experts, target);
    }
}
