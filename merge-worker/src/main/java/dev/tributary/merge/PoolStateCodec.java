package dev.tributary.merge;

import dev.tributary.events.MemberCoefficients;
import dev.tributary.events.PoolCheckpoint;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.PoolExpert;
import dev.tributary.events.PoolGeneration;
import dev.tributary.events.PoolUpdated;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Writes a pool's state down as an event, and reads it back.
final class PoolStateCodec {
    private PoolStateCodec() {}

    /// The event that stands for a state.
    static PoolUpdated event(PoolState state) {
        List<PoolExpert> experts = new ArrayList<>();
        state.experts()
                .forEach((task, checkpoints) ->
                        experts.add(
                                new PoolExpert(
                                        task,
                                        checkpoints.stream()
                                                .map(PoolStateCodec::checkpoint)
                                                .toList())));
        PoolEvent.Configured configuration = state.configuration();
        LastGeneration last = state.last();
        Digest failed = state.failedRequest();
        return PoolUpdated.newBuilder()
                .setPool(state.pool())
                .setRevision(state.revision())
                .setConfigured(configuration == null ? null : configured(configuration))
                .setExperts(experts)
                .setWithdrawn(state.withdrawn().stream().map(Digest::value).toList())
                .setGeneration(last == null ? null : generation(last))
                .setFailedRequest(failed == null ? null : failed.value())
                .setAnsweredThrough(state.answeredThrough())
                .setTakenIn(state.takenIn())
                .build();
    }

    /// The state an event stands for.
    static PoolState state(PoolUpdated event) {
        SortedMap<String, List<AcceptedCheckpoint>> experts = new TreeMap<>();
        for (PoolExpert expert : event.getExperts()) {
            experts.put(
                    expert.getTask(),
                    expert.getCheckpoints().stream().map(PoolStateCodec::accepted).toList());
        }
        SortedSet<Digest> withdrawn = new TreeSet<>(Comparator.comparing(Digest::value));
        event.getWithdrawn().forEach(digest -> withdrawn.add(new Digest(digest)));
        @Nullable PoolConfigured configured = event.getConfigured();
        @Nullable PoolGeneration last = event.getGeneration();
        @Nullable String failed = event.getFailedRequest();
        return new PoolState(
                event.getPool(),
                event.getRevision(),
                configured == null ? null : configured(configured),
                experts,
                withdrawn,
                last == null ? null : generation(last),
                failed == null ? null : new Digest(failed),
                event.getAnsweredThrough(),
                event.getTakenIn());
    }

    /// A reference as events carry it.
    static dev.tributary.events.ArtifactReference reference(ArtifactReference reference) {
        return new dev.tributary.events.ArtifactReference(
                reference.uri(), reference.digest().value(), reference.bytes());
    }

    static ArtifactReference reference(dev.tributary.events.ArtifactReference reference) {
        return new ArtifactReference(
                reference.getUri(), new Digest(reference.getDigest()), reference.getBytes());
    }

    static PoolCheckpoint checkpoint(AcceptedCheckpoint accepted) {
        return new PoolCheckpoint(
                accepted.eventId(),
                reference(accepted.checkpoint()),
                reference(accepted.taskDefinition()),
                accepted.calibration().value());
    }

    static AcceptedCheckpoint accepted(PoolCheckpoint checkpoint) {
        return new AcceptedCheckpoint(
                checkpoint.getEventId(),
                reference(checkpoint.getCheckpoint()),
                reference(checkpoint.getTaskDefinition()),
                new Digest(checkpoint.getCalibrationDigest()));
    }

    private static PoolConfigured configured(PoolEvent.Configured event) {
        return new PoolConfigured(
                event.eventId(),
                event.pool(),
                reference(event.base()),
                event.method(),
                event.options(),
                new VerdictPolicy(
                        event.limits().significanceLevel(),
                        event.limits().toleratedDrop(),
                        event.limits().largestDetectableDrop()),
                Instant.ofEpochMilli(event.configuredAtMillis()));
    }

    private static PoolEvent.Configured configured(PoolConfigured event) {
        return new PoolEvent.Configured(
                event.getEventId(),
                event.getPool(),
                reference(event.getBase()),
                event.getMethod(),
                event.getOptions(),
                new PoolEvent.VerdictLimits(
                        event.getVerdictPolicy().getSignificanceLevel(),
                        event.getVerdictPolicy().getToleratedDrop(),
                        event.getVerdictPolicy().getLargestDetectableDrop()),
                event.getConfiguredAt().toEpochMilli());
    }

    private static PoolGeneration generation(LastGeneration last) {
        return new PoolGeneration(
                last.number(),
                last.id().value(),
                reference(last.artifact()),
                last.groups(),
                last.members().stream()
                        .map(member ->
                                new MemberCoefficients(
                                        member.task(),
                                        member.checkpoint().value(),
                                        member.coefficients()))
                        .toList());
    }

    private static LastGeneration generation(PoolGeneration event) {
        return new LastGeneration(
                event.getNumber(),
                new Digest(event.getGenerationId()),
                reference(event.getArtifact()),
                event.getGroups(),
                event.getMembers().stream()
                        .map(member ->
                                new LastGeneration.Member(
                                        member.getTask(),
                                        new Digest(member.getCheckpointDigest()),
                                        member.getCoefficients()))
                        .toList());
    }
}
