package dev.tributary.merge;

import dev.tributary.tensors.Fault;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// What one owner of a partition knows: the state of its pools, with and without the events that
/// wait for an answer. Does no IO; used by one thread.
final class PartitionBook {
    private final Map<String, PoolState> written = new TreeMap<>();
    private final Map<String, PoolState> current = new TreeMap<>();
    private final Map<String, Instant> retryAt = new HashMap<>();
    private OpenRecords open;

    /// @param states the pools as they were last written down
    /// @param offset where reading begins
    PartitionBook(Map<String, PoolState> states, long offset) {
        this.open = OpenRecords.from(offset);
        written.putAll(states);
        current.putAll(states);
    }

    /// A pool with all accepted events in; null when it is not known.
    @Nullable PoolState pool(String name) {
        return current.get(name);
    }

    /// Whether an event was answered before, ahead of older ones of other pools.
    boolean knows(PoolEvent event, long offset) {
        PoolState state = written.get(event.pool());
        return state != null && offset <= state.answeredThrough();
    }

    /// Everything before this offset has been read.
    void readTo(long offset) {
        open = open.readTo(offset);
    }

    /// An event changes its pool, and waits for what that leads to.
    void accept(PoolRecord read, PoolState changed) {
        PoolState before = current.put(changed.pool(), changed);
        boolean again = before != null && read.event() != null && before.knows(read.event());
        open =
                open.with(
                        new OpenRecord(
                                read, changed.pool(), List.of(), OpenRecord.Stage.ADMIT, again));
    }

    /// A record is refused. It waits behind what its pool waits for, so that answers keep the order
    /// of events.
    void refuse(PoolRecord read, List<Fault> faults, OpenRecord.Stage stage) {
        String named = read.pool();
        boolean known = named != null && current.containsKey(named) && read.event() != null;
        open = open.with(new OpenRecord(read, known ? named : null, faults, stage, false));
    }

    /// How many records wait.
    int waiting() {
        return open.waiting().size();
    }

    /// How many pools wait for a merge.
    long wishes() {
        return current.values().stream().filter(state -> wish(state) != null).count();
    }

    /// The offset up to which everything is answered.
    long answeredOffset() {
        return open.committable();
    }

    /// What is to be done next.
    Agenda next(Instant now) {
        return Agenda.next(open, current, retryAt, now);
    }

    /// What a pool wants merged now; null when it has that already.
    @Nullable Wish wish(String pool) {
        PoolState state = current.get(pool);
        return state == null ? null : wish(state);
    }

    /// Leaves a pool alone until then.
    void retry(String pool, Instant moment) {
        retryAt.put(pool, moment);
    }

    /// Nothing has to be merged for these pools.
    Answer settled(Set<String> pools) {
        Map<String, PoolState> next = new TreeMap<>(current);
        next.keySet().retainAll(pools);
        return answer(next, null, open.answer(pools));
    }

    /// A merge has ended in a generation.
    Answer merged(MergedGeneration generation) {
        String pool = generation.wish().pool();
        PoolState before = state(pool);
        List<OpenRecord> waited = open.of(pool);
        Set<String> members =
                generation.wish().members().stream()
                        .map(member -> member.accepted().eventId())
                        .collect(Collectors.toSet());
        List<String> superseded =
                published(waited).stream().filter(id -> !members.contains(id)).toList();
        return answer(
                Map.of(pool, before.with(generation.asLast())),
                new Answer.Merged(generation, ids(waited), superseded, before.last()),
                open.answer(Set.of(pool)));
    }

    /// A merge has failed for good: the checkpoints that waited for it are refused after all, while
    /// configurations and retirements stay in force.
    Answer failed(Wish wish, List<Fault> faults) {
        String pool = wish.pool();
        List<OpenRecord> waited = open.of(pool);
        PoolState state = written.getOrDefault(pool, PoolState.unknown(pool));
        for (OpenRecord record : waited) {
            if (!record.refused()) {
                state =
                        switch (record.read().event()) {
                            case PoolEvent.Configured event -> state.with(event);
                            case PoolEvent.Retired event -> state.with(event);
                            case PoolEvent.Published _ -> state;
                            case null -> state;
                        };
            }
        }
        OpenRecords.Answered answered = open.answer(Set.of(pool));
        List<OpenRecord> records =
                answered.records().stream()
                        .map(record -> refusedWith(record, pool, faults))
                        .toList();
        return answer(
                Map.of(pool, state.withFailed(wish.id())),
                new Answer.Failed(wish, faults, ids(waited)),
                new OpenRecords.Answered(records, answered.rest()));
    }

    /// An answer has been published.
    void published(Answer answer) {
        open = answer.rest();
        for (PoolState state : answer.states()) {
            written.put(state.pool(), state);
            current.put(state.pool(), state);
            retryAt.remove(state.pool());
        }
    }

    private Answer answer(
            Map<String, PoolState> next,
            Answer.@Nullable Outcome outcome,
            OpenRecords.Answered answered) {
        List<PoolState> states = new ArrayList<>();
        next.forEach((pool, state) -> {
            long last =
                    answered.records().stream()
                            .filter(record -> pool.equals(record.pool()))
                            .mapToLong(OpenRecord::offset)
                            .max()
                            .orElse(-1);
            PoolState before = written.get(pool);
            boolean aheadOfOthers = last >= answered.rest().committable();
            // What was taken in and refused after all is in the state at hand, so that one is to
            // go.
            boolean takenBack = outcome instanceof Answer.Failed;
            if (before == null || !state.says(before) || aheadOfOthers || takenBack) {
                states.add(state.answered(last));
            }
        });
        return new Answer(answered.records(), states, outcome, answered.rest());
    }

    private static OpenRecord refusedWith(OpenRecord record, String pool, List<Fault> faults) {
        boolean waited = pool.equals(record.pool()) && !record.refused();
        return waited && record.read().event() instanceof PoolEvent.Published
                ? record.refusedBy(OpenRecord.Stage.MERGE, faults)
                : record;
    }

    private static List<String> ids(List<OpenRecord> records) {
        return records.stream()
                .filter(record -> !record.refused() && !record.again())
                .map(record -> record.read().event())
                .filter(java.util.Objects::nonNull)
                .map(PoolEvent::eventId)
                .toList();
    }

    private static List<String> published(List<OpenRecord> records) {
        return ids(
                records.stream()
                        .filter(record -> record.read().event() instanceof PoolEvent.Published)
                        .toList());
    }

    private @Nullable Wish wish(PoolState state) {
        return Wish.of(state).filter(wish -> wish.isNewTo(state)).orElse(null);
    }

    private PoolState state(String pool) {
        PoolState state = current.get(pool);
        if (state == null) {
            throw new IllegalStateException("no pool '%s' in this partition".formatted(pool));
        }
        return state;
    }
}
