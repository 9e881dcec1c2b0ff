package dev.tributary.merging;

import dev.tributary.merging.method.MergeInputs;
import dev.tributary.merging.method.MergeTensor;
import dev.tributary.merging.method.Statistics;
import dev.tributary.merging.method.Workers;
import dev.tributary.tensors.Checkpoint;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// What a method may see of a plan.
final class PlanInputs implements MergeInputs {
    private final List<Member> members;
    private final List<String> groups;
    private final @Nullable Coefficients learnt;
    private final @Nullable Workers workers;
    private final @Nullable Statistics gathered;
    private final List<MergeTensor> merged = new ArrayList<>();
    private final Map<SharedTensor, MergeTensor> byShared = new HashMap<>();

    /// @param shared the plan's tensors, in the order in which they are merged
    /// @param learnt coefficients, for methods that learn them
    /// @param workers null while it is only planned
    PlanInputs(
            Checkpoint base,
            List<Member> members,
            List<String> groups,
            List<SharedTensor> shared,
            @Nullable Coefficients learnt,
            @Nullable Workers workers) {
        this(base, members, groups, shared, learnt, workers, null);
    }

    /// With what was gathered from running models.
    PlanInputs(
            Checkpoint base,
            List<Member> members,
            List<String> groups,
            List<SharedTensor> shared,
            @Nullable Coefficients learnt,
            @Nullable Workers workers,
            @Nullable Statistics gathered) {
        this.members = members;
        this.groups = groups;
        this.learnt = learnt;
        this.workers = workers;
        this.gathered = gathered;
        LayerDepth depth = new LayerDepth(shared.stream().map(SharedTensor::outputName).toList());
        for (SharedTensor tensor : shared) {
            if (tensor.merged()) {
                MergeTensor seen = seen(base, tensor, depth.of(tensor.outputName()));
                merged.add(seen);
                byShared.put(tensor, seen);
            }
        }
    }

    private MergeTensor seen(Checkpoint base, SharedTensor tensor, double depth) {
        Checkpoint from = tensor.standIn() < 0 ? base : members.get(tensor.standIn()).expert();
        List<MergeTensor.Stored> stored = stored(tensor, from, members);
        List<MergeTensor.Expert> experts = new ArrayList<>();
        for (int s = 0; s < tensor.members().size(); s++) {
            SharedTensor.Source source = tensor.members().get(s);
            Member member = members.get(source.member());
            experts.add(
                    new MergeTensor.Expert(
                            member.task(),
                            stored.get(s + 1),
                            source.settings().orElse(member.settings())));
        }
        return new MergeTensor(
                tensor.outputName(),
                tensor.shape(),
                depth,
                tensor.group(),
                stored.getFirst(),
                experts);
    }

    /// A tensor's values in the base, then in its members' experts, with the merged model's rows.
    static List<MergeTensor.Stored> stored(
            SharedTensor tensor, Checkpoint base, List<Member> members) {
        MergeTensor.Mapped inBase =
                new MergeTensor.Mapped(tensor.baseDtype(), base.data(tensor.baseName()));
        if (tensor.alignment().isPresent()) {
            List<MergeTensor.Mapped> inExperts = new ArrayList<>();
            for (SharedTensor.Source source : tensor.members()) {
                Checkpoint expert = members.get(source.member()).expert();
                inExperts.add(new MergeTensor.Mapped(source.dtype(), expert.data(source.name())));
            }
            return aligned(tensor.alignment().get(), inBase, inExperts);
        }
        List<MergeTensor.Stored> stored = new ArrayList<>();
        stored.add(inBase);
        for (SharedTensor.Source source : tensor.members()) {
            stored.add(LowRankRows.of(members.get(source.member()).expert(), source));
        }
        return stored;
    }

    private static List<MergeTensor.Stored> aligned(
            RowAlignment rows, MergeTensor.Mapped inBase, List<MergeTensor.Mapped> inExperts) {
        AlignedRows base = AlignedRows.ofBase(rows, inBase, inExperts);
        List<MergeTensor.Stored> stored = new ArrayList<>();
        stored.add(base);
        for (int e = 0; e < inExperts.size(); e++) {
            AlignedRows expert = base.ofMember(rows, e, inExperts.get(e));
            stored.add(expert);
        }
        return stored;
    }

    @Override
    public List<String> tasks() {
        return members.stream().map(Member::task).toList();
    }

    @Override
    public List<MergeTensor> tensors() {
        return merged;
    }

    MergeTensor of(SharedTensor tensor) {
        return Objects.requireNonNull(byShared.get(tensor), tensor.name());
    }

    @Override
    public Workers workers() {
        if (workers == null) {
            throw new IllegalStateException("nothing is read while a merge is planned");
        }
        return workers;
    }

    @Override
    public Statistics statistics() {
        if (gathered == null) {
            throw new IllegalStateException("no statistics were gathered");
        }
        return gathered;
    }

    @Override
    public double coefficient(int expert, MergeTensor tensor) {
        if (learnt == null) {
            throw new IllegalArgumentException(
                    "[coefficients] are not learnt: optimise them first");
        }
        return learnt.get(members.get(expert).task(), groups.get(tensor.group()));
    }
}
