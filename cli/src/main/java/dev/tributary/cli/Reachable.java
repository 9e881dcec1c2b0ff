package dev.tributary.cli;

import dev.tributary.events.ArtifactReference;
import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PoolCheckpoint;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.PoolExpert;
import dev.tributary.events.PoolUpdated;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;

/// Which artifacts of a store somebody may still need, by what the log says, and why each.
final class Reachable {
    private static final String SCHEME = "store:";

    private final SortedMap<String, String> reasons = new TreeMap<>();
    private final int kept;
    private final Function<ArtifactReference, Optional<String>> startedFrom;

    /// @param kept how many of a pool's newest generations one may want to go back to
    /// @param startedFrom the id of the generation a generation's coefficients started from
    Reachable(int kept, Function<ArtifactReference, Optional<String>> startedFrom) {
        this.kept = kept;
        this.startedFrom = startedFrom;
    }

    /// Why an artifact is needed; nothing where it is not.
    Optional<String> why(String path) {
        return Optional.ofNullable(reasons.get(path));
    }

    /// The newest states of all pools.
    void addStates(Iterable<PoolUpdated> states) {
        for (PoolUpdated state : states) {
            String pool = state.getPool();
            PoolConfigured configured = state.getConfigured();
            if (configured != null) {
                add(configured.getBase(), "the base of pool %s".formatted(pool));
            }
            for (PoolExpert expert : state.getExperts()) {
                for (PoolCheckpoint checkpoint : expert.getCheckpoints()) {
                    String what = "%s of pool %s".formatted(expert.getTask(), pool);
                    add(checkpoint.getCheckpoint(), "a remembered checkpoint of " + what);
                    add(checkpoint.getTaskDefinition(), "the definition of " + what);
                }
            }
            if (state.getGeneration() != null) {
                add(
                        state.getGeneration().getArtifact(),
                        "the last generation of pool %s".formatted(pool));
            }
        }
    }

    /// An event that waits for its answer, or whose dead letter nobody has dealt with.
    ///
    /// @param where what waits, for people
    void addWaiting(@Nullable SpecificRecord event, String where) {
        switch (event) {
            case PoolConfigured configured -> add(configured.getBase(), "the base in " + where);
            case CheckpointPublished published -> {
                add(published.getCheckpoint(), "the checkpoint in " + where);
                add(published.getTaskDefinition(), "the task definition in " + where);
            }
            case null, default -> {}
        }
    }

    /// The generations that are served, were served before, may be gone back to, or have no verdict
    /// yet, with all they were made of.
    void addGenerations(
            List<GenerationMerged> merged,
            List<GenerationPromoted> promoted,
            List<GenerationEvaluated> evaluated) {
        Map<String, Long> newest = new HashMap<>();
        Map<String, List<Long>> champions = new HashMap<>();
        Set<String> judged = new HashSet<>();
        merged.forEach(one -> newest.merge(one.getPool(), one.getNumber(), Math::max));
        promoted.forEach(one ->
                champions
                        .computeIfAbsent(one.getPool(), _ -> new ArrayList<>())
                        .add(one.getNumber()));
        evaluated.forEach(one -> judged.add(name(one.getPool(), one.getNumber())));
        Map<String, ArtifactReference> byId = new HashMap<>();
        merged.forEach(one -> byId.put(one.getGenerationId(), one.getArtifact()));
        for (GenerationMerged one : merged) {
            String name = name(one.getPool(), one.getNumber());
            List<Long> served = champions.getOrDefault(one.getPool(), List.of());
            int place = served.lastIndexOf(one.getNumber());
            if (place >= 0 && place >= served.size() - 2) {
                add(one, place == served.size() - 1 ? "the champion" : "the champion before", byId);
            } else if (one.getNumber() > newest.getOrDefault(one.getPool(), 0L) - kept) {
                add(one, "one of the last %d".formatted(kept), byId);
            } else if (!judged.contains(name)) {
                add(one, "without a verdict", byId);
            }
        }
    }

    private static String name(String pool, long number) {
        return "generation %d of pool %s".formatted(number, pool);
    }

    private void add(GenerationMerged one, String role, Map<String, ArtifactReference> byId) {
        String name = "%s, %s".formatted(name(one.getPool(), one.getNumber()), role);
        add(one.getArtifact(), name);
        add(one.getBase(), "the base of " + name);
        for (GenerationMember member : one.getMembers()) {
            add(member.getCheckpoint(), "a member of " + name);
            add(member.getTaskDefinition(), "a task's definition in " + name);
        }
        startedFrom
                .apply(one.getArtifact())
                .map(byId::get)
                .ifPresent(start -> add(start, "what %s started from".formatted(name)));
    }

    private void add(ArtifactReference reference, String why) {
        String uri = reference.getUri();
        if (uri.startsWith(SCHEME)) {
            reasons.putIfAbsent(uri.substring(SCHEME.length()), why);
        }
    }
}
