package dev.tributary.merge;

import dev.tributary.merging.GenerationIdentity;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The merge a pool's state asks for: the newest checkpoint of every expert, by the configured
/// method. Two equal requests have the same id, whatever pool they come from and whenever.
///
/// @param pool the pool that asks
/// @param identity names everything that determines the result
/// @param base the checkpoint all members were fine-tuned from
/// @param method how they are merged
/// @param members what is merged, in order of task
record Wish(
        String pool,
        GenerationIdentity identity,
        ArtifactReference base,
        MergeMethod method,
        List<Member> members) {
    Wish {
        members = List.copyOf(members);
    }

    /// One expert to merge.
    record Member(String task, AcceptedCheckpoint accepted) {}

    /// What this state asks for; nothing while the pool is not configured or has no experts.
    static Optional<Wish> of(PoolState state) {
        PoolEvent.Configured configuration = state.configuration();
        List<Member> members =
                state.experts().entrySet().stream()
                        .filter(expert -> !expert.getValue().isEmpty())
                        .map(expert -> new Member(expert.getKey(), expert.getValue().getLast()))
                        .toList();
        if (configuration == null || members.isEmpty()) {
            return Optional.empty();
        }
        MergeMethod method = MergeMethod.of(configuration.method(), configuration.options());
        SortedMap<String, Digest> experts = new TreeMap<>();
        SortedMap<String, Digest> calibrations = new TreeMap<>();
        for (Member member : members) {
            experts.put(member.task(), member.accepted().checkpoint().digest());
            calibrations.put(member.task(), member.accepted().calibration());
        }
        return Optional.of(
                new Wish(
                        state.pool(),
                        GenerationIdentity.of(
                                configuration.base().digest(), experts, method, calibrations),
                        configuration.base(),
                        method,
                        members));
    }

    /// The request's id.
    Digest id() {
        return identity.digest();
    }

    /// Whether merging would tell the pool anything new: it is neither what the pool has nor what
    /// has just failed for good.
    boolean isNewTo(PoolState state) {
        @Nullable LastGeneration last = state.last();
        return !(last != null && last.id().equals(id())) && !id().equals(state.failedRequest());
    }

    /// Where the artifact of this request is, in whatever pool it is asked for.
    String storePath() {
        return "generations/" + identity.shortId();
    }

    /// The tasks, in order.
    List<String> tasks() {
        return members.stream().map(Member::task).toList();
    }
}
