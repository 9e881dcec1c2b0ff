package dev.tributary.merge;

import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The merge a pool's state asks for: the newest checkpoint of every expert, by the configured
/// method. Two equal requests have the same id, whatever pool they come from and whenever.
///
/// @param pool the pool that asks
/// @param id digest of base, members, method, options, calibration sets and the method's version
/// @param base the checkpoint all members were fine-tuned from
/// @param method id of the merge method
/// @param options every option of the method, defaults included
/// @param members what is merged, in order of task
record Wish(
        String pool,
        Digest id,
        ArtifactReference base,
        String method,
        Map<String, String> options,
        List<Member> members) {
    private static final int PATH_DIGITS = 16;

    Wish {
        options = java.util.Collections.unmodifiableMap(new TreeMap<>(options));
        members = List.copyOf(members);
    }

    /// One expert to merge.
    record Member(String task, AcceptedCheckpoint accepted) {}

    /// How a configured method reads once its defaults are filled in.
    ///
    /// @param options every option by name
    /// @param version changes when the same options would give other weights
    /// @param usesCalibration whether the calibration sets have a part in the result
    record MethodIdentity(Map<String, String> options, String version, boolean usesCalibration) {}

    /// Fills in a method's defaults.
    @FunctionalInterface
    interface Methods {
        MethodIdentity identity(String method, Map<String, String> options);
    }

    /// What this state asks for; nothing while the pool is not configured or has no experts.
    static Optional<Wish> of(PoolState state, Methods methods) {
        PoolEvent.Configured configuration = state.configuration();
        List<Member> members =
                state.experts().entrySet().stream()
                        .filter(expert -> !expert.getValue().isEmpty())
                        .map(expert -> new Member(expert.getKey(), expert.getValue().getLast()))
                        .toList();
        if (configuration == null || members.isEmpty()) {
            return Optional.empty();
        }
        MethodIdentity method = methods.identity(configuration.method(), configuration.options());
        return Optional.of(
                new Wish(
                        state.pool(),
                        id(configuration, method, members),
                        configuration.base(),
                        configuration.method(),
                        method.options(),
                        members));
    }

    /// Whether merging would tell the pool anything new: it is neither what the pool has nor what
    /// has just failed for good.
    boolean isNewTo(PoolState state) {
        @Nullable LastGeneration last = state.last();
        return !(last != null && last.id().equals(id)) && !id.equals(state.failedRequest());
    }

    /// Where the artifact of this request is, in whatever pool it is asked for.
    String storePath() {
        return "generations/" + id.hex().substring(0, PATH_DIGITS);
    }

    /// The tasks, in order.
    List<String> tasks() {
        return members.stream().map(Member::task).toList();
    }

    private static Digest id(
            PoolEvent.Configured configuration, MethodIdentity method, List<Member> members) {
        StringBuilder text = new StringBuilder("generation 1\n");
        line(text, "base", configuration.base().digest().value());
        line(text, "method", configuration.method(), method.version());
        new TreeMap<>(method.options()).forEach((name, value) -> line(text, "option", name, value));
        for (Member member : members) {
            AcceptedCheckpoint accepted = member.accepted();
            line(text, "member", member.task(), accepted.checkpoint().digest().value());
            if (method.usesCalibration()) {
                line(text, "calibration", member.task(), accepted.calibration().value());
            }
        }
        return Digest.ofText(text.toString());
    }

    /// Each word goes with its length, so that no two requests can read the same.
    private static void line(StringBuilder text, String... words) {
        for (String word : words) {
            text.append(word.length()).append(':').append(word).append(' ');
        }
        text.append('\n');
    }
}
