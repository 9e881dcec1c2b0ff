package dev.tributary.cli.chaos;

import dev.tributary.cli.chaos.Findings.Kind;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.RegressionAlert;
import dev.tributary.schemas.Topic;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.avro.specific.SpecificRecord;

/// Compares what was sent to the pools with everything that came of it. Does no IO.
///
/// What holds of a sound history, whatever happened to the processes: every checkpoint that was
/// accepted is covered by exactly one generation or has exactly one dead letter; a record that must
/// be refused has exactly one dead letter; generations of a pool are numbered without gaps, each
/// follows from the one before and has the members its events say; every generation has exactly one
/// verdict; nothing is promoted and no alert changes twice in a row.
final class History {
    /// What injected faults may end in.
    private static final Set<String> OF_FAULTS = Set.of("CRASH_LOOP", "MERGE_FAILED");

    private final List<Sent> sent;
    private final List<Seen> seen;

    /// The record that counts of each event that was not refused: the first.
    private final Map<String, Sent> byId = new HashMap<>();

    /// Why each record was refused, by its place.
    private final Map<String, String> refused = new HashMap<>();

    /// The last offset that each generation of a pool covers.
    private final Map<String, NavigableSet<Long>> ends = new HashMap<>();

    private final Findings findings = new Findings();

    private History(List<Sent> sent, List<Seen> seen) {
        this.sent =
                sent.stream()
                        .sorted(
                                Comparator.comparingInt(Sent::partition)
                                        .thenComparingLong(Sent::offset))
                        .toList();
        Set<String> read = new HashSet<>();
        this.seen =
                seen.stream()
                        .filter(one -> read.add(one.topic() + place(one.partition(), one.offset())))
                        .sorted(
                                Comparator.comparing(Seen::topic)
                                        .thenComparingInt(Seen::partition)
                                        .thenComparingLong(Seen::offset))
                        .toList();
    }

    /// Looks for everything that must not be.
    ///
    /// @param sent in any order
    /// @param seen all that was committed, in any order; reading the same record twice is no fault
    static Findings check(List<Sent> sent, List<Seen> seen) {
        History history = new History(sent, seen);
        history.checkDeadLetters();
        history.checkAnswers();
        history.checkGenerations();
        history.checkVerdicts();
        history.checkChanges();
        return history.findings;
    }

    private <T> List<T> events(Class<T> type) {
        return seen.stream().map(Seen::event).filter(type::isInstance).map(type::cast).toList();
    }

    private static String place(int partition, long offset) {
        return partition + "@" + offset;
    }

    private void checkDeadLetters() {
        Map<String, Integer> letters = new LinkedHashMap<>();
        for (DeadLetter letter : events(DeadLetter.class)) {
            if (letter.getTopic().equals(Topic.POOL_EVENTS.topicName())) {
                String place = place(letter.getPartition(), letter.getOffset());
                letters.merge(place, 1, Integer::sum);
                refused.put(place, letter.getCode());
            }
        }
        for (Sent one : sent) {
            if (one.eventId() != null && !isRefused(one)) {
                byId.putIfAbsent(one.eventId(), one);
            }
        }
        letters.forEach((place, count) -> {
            if (count > 1) {
                findings.add(
                        Kind.DOUBLED, "pool event %s has %d dead letters".formatted(place, count));
            }
        });
    }

    private boolean isRefused(Sent one) {
        return refused.containsKey(place(one.partition(), one.offset()));
    }

    private void checkAnswers() {
        Map<String, List<Long>> covered = new HashMap<>();
        for (GenerationMerged generation : events(GenerationMerged.class)) {
            for (String id : generation.getCovers()) {
                covered.computeIfAbsent(id, _ -> new ArrayList<>()).add(generation.getNumber());
            }
            generation.getCovers().stream()
                    .map(byId::get)
                    .filter(Objects::nonNull)
                    .map(Sent::offset)
                    .max(Comparator.naturalOrder())
                    .ifPresent(end ->
                            ends.computeIfAbsent(generation.getPool(), _ -> new TreeSet<>())
                                    .add(end));
        }
        for (Sent one : sent) {
            List<Long> by =
                    one.eventId() == null
                            ? List.of()
                            : covered.getOrDefault(one.eventId(), List.of());
            switch (one.kind()) {
                case PUBLISH -> {
                    if (by.isEmpty() && !isRefused(one) && !withdrawnLater(one)) {
                        findings.add(Kind.LOST, "%s has no answer".formatted(one.place()));
                    }
                    String code = refused.get(place(one.partition(), one.offset()));
                    if (code != null && !mayEndSo(one, code)) {
                        findings.add(
                                Kind.LOST,
                                "%s was set aside with %s, expected a generation"
                                        .formatted(one.place(), code));
                    }
                }
                case WRONG_BASE, GARBAGE -> {
                    if (!isRefused(one)) {
                        findings.add(Kind.LOST, "%s has no dead letter".formatted(one.place()));
                    }
                }
                case CONFIGURE, AGAIN, RETIRE -> {}
            }
        }
        covered.forEach((id, by) -> {
            Sent one = byId.get(id);
            if (by.size() > 1) {
                findings.add(
                        Kind.DOUBLED, "event %s is covered by generations %s".formatted(id, by));
            } else if (one == null) {
                findings.add(
                        Kind.DOUBLED,
                        "event %s is covered by generation %s, expected none".formatted(id, by));
            }
        });
    }

    /// Whether a sound checkpoint may have been set aside: where work on it was made to fail again
    /// and again, or its pool's configuration was.
    private boolean mayEndSo(Sent published, String code) {
        return OF_FAULTS.contains(code)
                || sent.stream()
                        .anyMatch(other ->
                                other.kind() == Sent.Kind.CONFIGURE
                                        && other.pool().equals(published.pool())
                                        && isRefused(other));
    }

    /// Whether the pool may have come back to what it had before without a generation in between:
    /// where the task was withdrawn before the pool's next generation was begun.
    private boolean withdrawnLater(Sent published) {
        Long next =
                ends.getOrDefault(published.pool(), Collections.emptyNavigableSet())
                        .higher(published.offset());
        return sent.stream()
                .anyMatch(later ->
                        later.kind() == Sent.Kind.RETIRE
                                && later.pool().equals(published.pool())
                                && Objects.equals(later.task(), published.task())
                                && later.offset() > published.offset()
                                && (next == null || later.offset() <= next));
    }

    private void checkGenerations() {
        for (String pool : sent.stream().map(Sent::pool).distinct().toList()) {
            checkPool(pool);
        }
    }

    private void checkPool(String pool) {
        long number = 0;
        long answered = -1;
        for (SpecificRecord answer : events(SpecificRecord.class)) {
            if (answer instanceof GenerationFailed failed && failed.getPool().equals(pool)) {
                answered = Math.max(answered, lastInForce(failed));
            }
            if (!(answer instanceof GenerationMerged generation)
                    || !generation.getPool().equals(pool)) {
                continue;
            }
            String name = "generation %d of %s".formatted(generation.getNumber(), pool);
            if (generation.getNumber() <= number) {
                findings.add(Kind.DOUBLED, "%s comes after number %d".formatted(name, number));
            } else if (generation.getNumber() > number + 1) {
                findings.add(Kind.LOST, "%s comes after number %d".formatted(name, number));
            }
            long before =
                    generation.getPreviousNumber() == null ? 0 : generation.getPreviousNumber();
            if (before != generation.getNumber() - 1) {
                findings.add(Kind.STALE, "%s was made after number %d".formatted(name, before));
            }
            number = Math.max(number, generation.getNumber());
            for (String id : generation.getCovers()) {
                Sent cause = byId.get(id);
                if (cause == null) {
                    continue;
                }
                if (cause.offset() <= answered) {
                    findings.add(
                            Kind.REORDERED,
                            "%s covers %s after offset %d was answered"
                                    .formatted(name, cause.place(), answered));
                } else {
                    answered = cause.offset();
                }
            }
            Map<String, String> wanted = members(pool, answered);
            Map<String, String> has =
                    generation.getMembers().stream()
                            .collect(
                                    Collectors.toMap(
                                            GenerationMember::getTask,
                                            GenerationMember::getEventId,
                                            (first, _) -> first,
                                            TreeMap::new));
            if (!has.equals(wanted)) {
                findings.add(
                        Kind.STALE,
                        "%s has members %s, its events say %s".formatted(name, has, wanted));
            }
        }
        Map<String, String> end = members(pool, Long.MAX_VALUE);
        if (!end.isEmpty() && (number == 0 || !members(pool, answered).equals(end))) {
            findings.add(
                    Kind.LOST,
                    "the last generation of %s does not have what it must: %s"
                            .formatted(pool, end));
        }
    }

    /// The last event that holds although the generation it waited for came to nothing: a
    /// retirement that waited with the checkpoint that was set aside.
    private long lastInForce(GenerationFailed failed) {
        return failed.getCovers().stream()
                .map(byId::get)
                .filter(Objects::nonNull)
                .mapToLong(Sent::offset)
                .max()
                .orElse(-1);
    }

    /// What a pool has after its events up to an offset, by task.
    private Map<String, String> members(String pool, long offset) {
        Map<String, String> members = new TreeMap<>();
        for (Sent one : sent) {
            if (one.pool().equals(pool)
                    && one.offset() <= offset
                    && one.task() != null
                    && !isRefused(one)) {
                switch (one.kind()) {
                    case PUBLISH, AGAIN -> {
                        if (one.equals(byId.get(one.eventId()))) {
                            members.put(one.task(), Objects.requireNonNull(one.eventId()));
                        }
                    }
                    case RETIRE -> members.remove(one.task());
                    case CONFIGURE, WRONG_BASE, GARBAGE -> {}
                }
            }
        }
        return members;
    }

    private void checkVerdicts() {
        Map<String, Integer> verdicts = new HashMap<>();
        for (GenerationEvaluated verdict : events(GenerationEvaluated.class)) {
            verdicts.merge(
                    verdict.getPool() + " " + verdict.getNumber() + " " + verdict.getGenerationId(),
                    1,
                    Integer::sum);
        }
        for (GenerationMerged generation : events(GenerationMerged.class)) {
            int count =
                    verdicts.getOrDefault(
                            generation.getPool()
                                    + " "
                                    + generation.getNumber()
                                    + " "
                                    + generation.getGenerationId(),
                            0);
            if (count != 1) {
                findings.add(
                        count == 0 ? Kind.LOST : Kind.DOUBLED,
                        "generation %d of %s has %d verdicts"
                                .formatted(generation.getNumber(), generation.getPool(), count));
            }
        }
    }

    private void checkChanges() {
        Map<String, String> states = new HashMap<>();
        for (RegressionAlert alert : events(RegressionAlert.class)) {
            String state = alert.getState().name();
            if (state.equals(states.put(alert.getPool() + alert.getAlertId(), state))) {
                findings.add(
                        Kind.DOUBLED,
                        "alert %s of %s is %s twice in a row"
                                .formatted(alert.getAlertId(), alert.getPool(), state));
            }
        }
        Map<String, Long> champions = new HashMap<>();
        for (GenerationPromoted promoted : events(GenerationPromoted.class)) {
            Long before = champions.put(promoted.getPool(), promoted.getNumber());
            if (before != null && before >= promoted.getNumber()) {
                findings.add(
                        before == promoted.getNumber() ? Kind.DOUBLED : Kind.STALE,
                        "generation %d of %s is promoted after %d"
                                .formatted(promoted.getNumber(), promoted.getPool(), before));
            }
        }
    }
}
