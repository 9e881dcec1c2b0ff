package dev.tributary.merge;

import dev.tributary.tensors.Digest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Everything a worker knows of one pool. A value: each event makes a new state, so that replaying
/// the events makes the same state again.
///
/// @param pool name of the pool
/// @param revision counts the states that were written down, from 1; 0 before the first
/// @param configuration what is to be merged and how; null while nobody has said
/// @param experts each task's recent checkpoints, the one in force last; empty for a retired expert
/// @param withdrawn digests that must not take part ever again
/// @param last the last generation; null before the first
/// @param failedRequest the request that failed for good, so that it is not tried again for ever
/// @param answeredThrough offset of the last event whose answer has been published; -1 for none
/// @param takenIn ids of the last events that changed the state, oldest first
record PoolState(
        String pool,
        long revision,
        PoolEvent.@Nullable Configured configuration,
        SortedMap<String, List<AcceptedCheckpoint>> experts,
        SortedSet<Digest> withdrawn,
        @Nullable LastGeneration last,
        @Nullable Digest failedRequest,
        long answeredThrough,
        List<String> takenIn) {

    /// How many events are known again by their id when they are sent a second time.
    static final int REMEMBERED_EVENTS = 64;

    /// How many checkpoints of a task are remembered at most, so that a withdrawal has one to
    /// return to.
    static final int REMEMBERED_CHECKPOINTS = 8;

    /// How many checkpoints a pool remembers in all, where that leaves each task at least
    /// [#LEAST_REMEMBERED]: the state is written down after every event and has to stay small.
    static final int REMEMBERED_IN_ALL = 24;

    /// The checkpoint in force and the one before it.
    static final int LEAST_REMEMBERED = 2;

    PoolState {
        SortedMap<String, List<AcceptedCheckpoint>> copy = new TreeMap<>();
        experts.forEach((task, checkpoints) -> copy.put(task, List.copyOf(checkpoints)));
        experts = Collections.unmodifiableSortedMap(copy);
        withdrawn = Collections.unmodifiableSortedSet(byValue(withdrawn));
        takenIn = List.copyOf(takenIn);
    }

    /// A pool nobody has configured yet.
    static PoolState unknown(String pool) {
        return new PoolState(
                pool, 0, null, new TreeMap<>(), byValue(Set.of()), null, null, -1, List.of());
    }

    /// With this configuration from now on. What failed before may be tried again.
    PoolState with(PoolEvent.Configured next) {
        return knows(next)
                ? this
                : new PoolState(
                        pool,
                        revision,
                        next,
                        experts,
                        withdrawn,
                        last,
                        null,
                        answeredThrough,
                        takenInWith(next));
    }

    /// With a new checkpoint of a task, which replaces the one before. One that is known already
    /// moves to the end; an event that is known already changes nothing. What failed before may be
    /// tried again.
    PoolState with(PoolEvent.Published event, Digest calibration) {
        if (knows(event)) {
            return this;
        }
        List<AcceptedCheckpoint> known = checkpoints(event.task());
        List<AcceptedCheckpoint> next = new ArrayList<>(known);
        next.removeIf(c -> c.checkpoint().digest().equals(event.checkpoint().digest()));
        next.add(
                new AcceptedCheckpoint(
                        event.eventId(), event.checkpoint(), event.taskDefinition(), calibration));
        return withExpert(event, event.task(), next, null);
    }

    /// Whether an event with this id is in already: one of the last ones, the configuration, or
    /// what a remembered checkpoint came with.
    boolean knows(PoolEvent event) {
        String id = event.eventId();
        return takenIn.contains(id)
                || (configuration != null && configuration.eventId().equals(id))
                || experts.values().stream()
                        .flatMap(List::stream)
                        .anyMatch(known -> known.eventId().equals(id));
    }

    private List<String> takenInWith(PoolEvent event) {
        List<String> ids = new ArrayList<>(takenIn);
        ids.add(event.eventId());
        return ids.subList(Math.max(0, ids.size() - REMEMBERED_EVENTS), ids.size());
    }

    /// Without the expert, or without one checkpoint: then the one before it is in force again, and
    /// the withdrawn one stays withdrawn.
    PoolState with(PoolEvent.Retired event) {
        if (knows(event)) {
            return this;
        }
        Digest digest = event.checkpoint();
        if (digest == null) {
            return withExpert(event, event.task(), List.of(), failedRequest);
        }
        SortedMap<String, List<AcceptedCheckpoint>> left = new TreeMap<>();
        experts.forEach((task, checkpoints) ->
                left.put(
                        task,
                        checkpoints.stream()
                                .filter(c -> !c.checkpoint().digest().equals(digest))
                                .toList()));
        SortedSet<Digest> withdrawnNow = byValue(withdrawn);
        withdrawnNow.add(digest);
        return new PoolState(
                pool,
                revision,
                configuration,
                left,
                withdrawnNow,
                last,
                failedRequest,
                answeredThrough,
                takenInWith(event));
    }

    /// After a merge: the generation is the pool's last one.
    PoolState with(LastGeneration generation) {
        return new PoolState(
                pool,
                revision,
                configuration,
                experts,
                withdrawn,
                generation,
                null,
                answeredThrough,
                takenIn);
    }

    /// After a merge that failed for good: the same request is not tried again of itself.
    PoolState withFailed(Digest request) {
        return new PoolState(
                pool,
                revision,
                configuration,
                experts,
                withdrawn,
                last,
                request,
                answeredThrough,
                takenIn);
    }

    /// As it is written down: the next revision, with all events up to this offset answered.
    PoolState answered(long offset) {
        return new PoolState(
                pool,
                revision + 1,
                configuration,
                experts,
                withdrawn,
                last,
                failedRequest,
                Math.max(offset, answeredThrough),
                takenIn);
    }

    /// Whether this is the same but for when it was written down.
    boolean says(PoolState other) {
        return equals(
                new PoolState(
                        other.pool,
                        revision,
                        other.configuration,
                        other.experts,
                        other.withdrawn,
                        other.last,
                        other.failedRequest,
                        answeredThrough,
                        other.takenIn));
    }

    /// A task's recent checkpoints, the one in force last.
    List<AcceptedCheckpoint> checkpoints(String task) {
        return experts.getOrDefault(task, List.of());
    }

    private PoolState withExpert(
            PoolEvent event,
            String task,
            List<AcceptedCheckpoint> checkpoints,
            @Nullable Digest failed) {
        SortedMap<String, List<AcceptedCheckpoint>> next = new TreeMap<>(experts);
        next.put(task, checkpoints);
        int each = rememberedEach(next.values());
        next.replaceAll(
                (_, known) -> known.subList(Math.max(0, known.size() - each), known.size()));
        return new PoolState(
                pool,
                revision,
                configuration,
                next,
                withdrawn,
                last,
                failed,
                answeredThrough,
                takenInWith(event));
    }

    private static int rememberedEach(Collection<List<AcceptedCheckpoint>> experts) {
        long tasks = experts.stream().filter(checkpoints -> !checkpoints.isEmpty()).count();
        long share = REMEMBERED_IN_ALL / Math.max(1, tasks);
        return Math.clamp(share, LEAST_REMEMBERED, REMEMBERED_CHECKPOINTS);
    }

    private static SortedSet<Digest> byValue(Set<Digest> digests) {
        SortedSet<Digest> sorted = new TreeSet<>(java.util.Comparator.comparing(Digest::value));
        sorted.addAll(digests);
        return sorted;
    }
}
