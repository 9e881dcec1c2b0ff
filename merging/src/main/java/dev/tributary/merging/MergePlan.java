package dev.tributary.merging;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.Architecture;
import dev.tributary.tensors.Checkpoint;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/// A merge that has been found possible: what is read, what is written, and what it costs.
///
/// Made from headers and configurations alone; no weight has been read. The checkpoints it names
/// belong to whoever opened them and must stay open while the plan is carried out.
///
/// @param members sorted by task, so that the order they came in changes nothing
/// @param architecture how tensors are named; empty where the model cannot be run here, and tensors
///   are then matched by their exact names
/// @param shared the tensors that are merged, sorted by the name they get
/// @param taskTensors for every task the tensors that stay its own
/// @param groups what has a coefficient of its own, in order: the layer groups that have at least
///   one shared tensor, or where the method learns one for each tensor the merged tensors
/// @param bytesToRead from the checkpoints, over all passes
/// @param bytesToWrite into the merged file
/// @param peakBytes memory beyond mapped files, at most
/// @param estimate a rough guess at the duration on two cores
/// @param vocabulary how rows are aligned by their tokens; empty where all models have the same
public record MergePlan(
        Checkpoint base,
        List<Member> members,
        MergeMethod method,
        Optional<Architecture> architecture,
        List<SharedTensor> shared,
        SequencedMap<String, List<TaskTensor>> taskTensors,
        List<String> groups,
        long bytesToRead,
        long bytesToWrite,
        long peakBytes,
        Duration estimate,
        Optional<VocabularyPlan> vocabulary) {

    public MergePlan {
        members = List.copyOf(members);
        shared = List.copyOf(shared);
        groups = List.copyOf(groups);
    }

    /// A merge of models with the same tokens.
    public MergePlan(
            Checkpoint base,
            List<Member> members,
            MergeMethod method,
            Optional<Architecture> architecture,
            List<SharedTensor> shared,
            SequencedMap<String, List<TaskTensor>> taskTensors,
            List<String> groups,
            long bytesToRead,
            long bytesToWrite,
            long peakBytes,
            Duration estimate) {
        this(
                base,
                members,
                method,
                architecture,
                shared,
                taskTensors,
                groups,
                bytesToRead,
                bytesToWrite,
                peakBytes,
                estimate,
                Optional.empty());
    }

    /// The checkpoint that holds a tensor's values in the base, or stands for it.
    Checkpoint baseOf(SharedTensor tensor) {
        return tensor.standIn() < 0 ? base : members.get(tensor.standIn()).expert();
    }

    /// The layer group of every merged tensor, by the name the tensor gets.
    SequencedMap<String, String> layerOfTensor() {
        SequencedMap<String, String> layers = new LinkedHashMap<>();
        for (SharedTensor tensor : shared) {
            if (tensor.merged()) {
                layers.put(
                        tensor.outputName(),
                        architecture
                                .map(a -> a.groupNames().get(a.groupOf(tensor.name())))
                                .orElse(MergePlanner.ONE_GROUP));
            }
        }
        return layers;
    }

    /// The same plan, its members known by other digests.
    MergePlan withMembers(List<Member> identified) {
        return with(identified, method);
    }

    /// The same plan with another scale of its method.
    MergePlan with(MergeMethod scaled) {
        return with(members, scaled);
    }

    private MergePlan with(List<Member> identified, MergeMethod scaled) {
        return new MergePlan(
                base,
                identified,
                scaled,
                architecture,
                shared,
                taskTensors,
                groups,
                bytesToRead,
                bytesToWrite,
                peakBytes,
                estimate,
                vocabulary);
    }

    /// The tasks, sorted.
    public List<String> tasks() {
        return members.stream().map(Member::task).toList();
    }
}
