package dev.tributary.merge;

import static dev.tributary.merge.Samples.artifact;
import static dev.tributary.merge.Samples.configured;
import static dev.tributary.merge.Samples.digest;
import static dev.tributary.merge.Samples.published;
import static dev.tributary.merge.Samples.record;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Thousands of histories of one partition, each decided by a seed: events come in, workers take
/// them in, merge and answer; they end at any moment, are thought dead and come back, do not learn
/// whether their answer was published, fail for a while or for good. The decisions are the real
/// ones; broker, store and time are not. Much more happens here than in any campaign with
/// processes, but only what this world knows of can go wrong.
class PartitionSimulationTest {
    /// `-DargLine=-Dsimulation.seeds=1000000` looks further.
    private static final int SEEDS = Integer.getInteger("simulation.seeds", 2_000);

    private static final int STEPS = 120;
    private static final List<String> POOLS = List.of("a", "b", "c");
    private static final List<String> TASKS = List.of("mail", "news", "verse");
    private static final Fault FAULT = new Fault(FailureCode.WRONG_BASE, "base", "is another");

    @Test
    void nothingIsLostDoubledStaleOrReordered() {
        long generations = 0;
        int fenced = 0;
        int unknown = 0;
        int failed = 0;
        int deadLetters = 0;
        for (long seed = 0; seed < SEEDS; seed++) {
            World world = new World(seed, Bug.NONE);
            assertThat(world.run()).as("seed %d", seed).isEmpty();
            generations += world.generations.stream().filter(made -> made.number() > 0).count();
            fenced += world.fenced;
            unknown += world.unknown;
            failed += world.failed;
            deadLetters += world.deadLetters.size();
        }
        assertThat(generations).isGreaterThan(10L * SEEDS);
        assertThat(List.of(fenced, unknown, failed, deadLetters))
                .allSatisfy(count -> assertThat(count).isGreaterThan(SEEDS / 4));
    }

    /// What a world may get wrong, to see that this test would notice.
    private enum Bug {
        NONE,
        NO_FENCING,
        OFFSET_NOT_IN_THE_TRANSACTION,
        STATE_NOT_IN_THE_TRANSACTION,
        STARTS_AT_THE_END
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4})
    void aWorldWithABugIsFoundOut(int bug) {
        long seed = 0;
        while (seed < 100 && new World(seed, Bug.values()[bug]).run().isEmpty()) {
            seed++;
        }

        assertThat(seed).isLessThan(100);
    }

    /// @param event what was sent; null for bytes that are no event
    /// @param bad whether it is to be refused
    private record Entry(long offset, @Nullable PoolEvent event, boolean bad) {}

    /// A generation, or with the number 0 a merge that failed for good: of what it covers,
    /// retirements and configurations are in force all the same.
    private record Made(String pool, long number, List<String> covers, Set<String> members) {}

    /// A broker with one partition of events, its table of states, and workers.
    private static final class World {
        private final SplittableRandom random;
        private final Bug bug;
        private final List<Entry> log = new ArrayList<>();
        private final Map<String, PoolState> table = new TreeMap<>();
        private final List<Made> generations = new ArrayList<>();
        private final List<Long> deadLetters = new ArrayList<>();
        private final List<Worker> workers = new ArrayList<>();
        private final List<String> findings = new ArrayList<>();
        private long committed;
        private int epoch;
        private int names;
        private int fenced;
        private int unknown;
        private int failed;
        private boolean peace;

        World(long seed, Bug bug) {
            this.random = new SplittableRandom(seed);
            this.bug = bug;
        }

        /// What was wrong.
        List<String> run() {
            POOLS.forEach(pool -> append(configured("configured " + pool, pool, "ties", Map.of())));
            for (int step = 0; step < STEPS; step++) {
                int dice = random.nextInt(100);
                if (dice < 25) {
                    appendAny();
                } else if (dice < 30 || workers.isEmpty()) {
                    workers.add(new Worker()); // the group gives the partition to another
                } else if (dice < 34) {
                    workers.remove(random.nextInt(workers.size()));
                } else {
                    workers.get(random.nextInt(workers.size())).step();
                }
            }
            peace = true;
            workers.clear();
            workers.add(new Worker());
            for (int step = 0; step < 1000 && !workers.isEmpty(); step++) {
                workers.getFirst().step();
            }
            check();
            return findings;
        }

        private void append(@Nullable PoolEvent event) {
            log.add(new Entry(log.size(), event, false));
        }

        private void appendAny() {
            String pool = POOLS.get(random.nextInt(POOLS.size()));
            String task = TASKS.get(random.nextInt(TASKS.size()));
            String name = "event %d".formatted(names++);
            int dice = random.nextInt(100);
            if (dice < 5) {
                append(null);
            } else if (dice < 12) {
                log.add(new Entry(log.size(), published(name, pool, task, name), true));
            } else if (dice < 30) {
                Entry before = log.get(random.nextInt(log.size()));
                log.add(new Entry(log.size(), before.event(), before.bad()));
            } else if (dice < 40) {
                append(new PoolEvent.Retired(name, pool, task, null));
            } else {
                append(published(name, pool, task, name));
            }
        }

        /// Everything an answer is made of, at once, or nothing of it.
        private void commit(Answer answer) {
            if (answer.outcome() instanceof Answer.Merged merged) {
                Set<String> members = new HashSet<>();
                merged.generation()
                        .members()
                        .forEach(part -> members.add(part.member().accepted().eventId()));
                generations.add(
                        new Made(
                                merged.generation().wish().pool(),
                                merged.generation().number(),
                                merged.covers(),
                                members));
            }
            if (answer.outcome() instanceof Answer.Failed merge) {
                generations.add(new Made(merge.wish().pool(), 0, merge.covers(), Set.of()));
            }
            answer.refused().forEach(record -> deadLetters.add(record.offset()));
            if (bug != Bug.STATE_NOT_IN_THE_TRANSACTION || random.nextInt(4) > 0) {
                answer.states().forEach(state -> table.put(state.pool(), state));
            }
            if (bug != Bug.OFFSET_NOT_IN_THE_TRANSACTION || random.nextInt(4) > 0) {
                if (answer.commitOffset() < committed) {
                    findings.add("the offset went back to " + answer.commitOffset());
                }
                committed = answer.commitOffset();
            }
        }

        private final class Worker {
            private final int mine = ++epoch;
            private final PartitionBook book = new PartitionBook(table, committed);
            private long position = bug == Bug.STARTS_AT_THE_END && !peace ? log.size() : committed;
            private @Nullable Answer answer;
            private long clock;

            void step() {
                clock++;
                Answer ready = answer;
                if (ready != null) {
                    answer = null;
                    publish(ready);
                } else if (position < log.size() && random.nextInt(2) == 0) {
                    takeIn(log.get((int) position++));
                } else {
                    decide();
                }
            }

            private void takeIn(Entry entry) {
                PoolEvent event = entry.event();
                long offset = entry.offset();
                if (event == null) {
                    book.refuse(
                            new PoolRecord(record(offset), null, null, null, null, List.of(FAULT)),
                            List.of(FAULT),
                            OpenRecord.Stage.DECODE);
                    return;
                }
                if (book.knows(event, offset)) {
                    book.readTo(offset + 1);
                    return;
                }
                PoolRecord read = PoolRecord.of(record(offset), event);
                PoolState state =
                        Objects.requireNonNullElse(
                                book.pool(event.pool()), PoolState.unknown(event.pool()));
                boolean unknownTask =
                        event instanceof PoolEvent.Retired retired
                                && !state.experts().containsKey(retired.task());
                if (!state.knows(event) && (entry.bad() || unknownTask)) {
                    book.refuse(read, List.of(FAULT), OpenRecord.Stage.ADMIT);
                } else {
                    book.accept(
                            read,
                            switch (event) {
                                case PoolEvent.Configured next -> state.with(next);
                                case PoolEvent.Published next ->
                                        state.with(next, digest("calibration"));
                                case PoolEvent.Retired next -> state.with(next);
                            });
                }
            }

            private void decide() {
                switch (book.next(Instant.ofEpochSecond(peace ? Integer.MAX_VALUE : clock))) {
                    case Agenda.Settle(var pools) -> answer = book.settled(pools);
                    case Agenda.Merge(Wish wish) -> merge(wish);
                    case Agenda.WaitUntil _ -> {}
                    case Agenda.Idle() -> {
                        if (peace && position == log.size()) {
                            workers.remove(this);
                        }
                    }
                }
            }

            private void merge(Wish wish) {
                int dice = peace ? 100 : random.nextInt(100);
                if (dice < 10) {
                    book.retry(wish.pool(), Instant.ofEpochSecond(clock + 5));
                } else if (dice < 16) {
                    failed++;
                    answer = book.failed(wish, List.of(FAULT));
                } else {
                    LastGeneration last = Objects.requireNonNull(book.pool(wish.pool())).last();
                    answer = book.merged(made(wish, last == null ? 1 : last.number() + 1));
                }
            }

            private void publish(Answer ready) {
                if (mine != epoch && bug != Bug.NO_FENCING) {
                    fenced++;
                    workers.remove(this);
                    return;
                }
                int dice = peace ? 100 : random.nextInt(100);
                if (dice < 10) {
                    unknown++;
                    workers.remove(this); // it came to nothing, and nobody knows
                    return;
                }
                commit(ready);
                if (dice < 20) {
                    unknown++;
                    workers.remove(this); // it was published, and nobody knows
                } else {
                    book.published(ready);
                }
            }
        }

        private static MergedGeneration made(Wish wish, long number) {
            return new MergedGeneration(
                    wish,
                    number,
                    artifact("merged " + wish.id()),
                    List.of("all"),
                    wish.members().stream()
                            .map(member -> new MergedGeneration.Part(member, null, List.of()))
                            .toList(),
                    null,
                    null,
                    0,
                    1,
                    false);
        }

        /// Tells what the log says from what came of it, without any of the classes that decide.
        private void check() {
            Set<Long> refused = new HashSet<>(deadLetters);
            if (refused.size() < deadLetters.size()) {
                findings.add("an event has two dead letters: " + deadLetters);
            }
            if (committed != log.size()) {
                findings.add("answered up to %d of %d".formatted(committed, log.size()));
            }
            Map<String, Long> counting = new HashMap<>();
            Map<String, Entry> first = new HashMap<>();
            for (Entry entry : log) {
                if (entry.event() == null || (entry.bad() && !first.containsKey(id(entry)))) {
                    if (!refused.contains(entry.offset())) {
                        findings.add("event %d has no dead letter".formatted(entry.offset()));
                    }
                } else if (!refused.contains(entry.offset())) {
                    first.putIfAbsent(id(entry), entry);
                }
            }
            Set<String> covered = new HashSet<>();
            for (String pool : POOLS) {
                long through = -1;
                for (Made made : generations) {
                    if (!made.pool().equals(pool)) {
                        continue;
                    }
                    if (made.number() > 0 && made.number() != counting.merge(pool, 1L, Long::sum)) {
                        findings.add(
                                "%s has number %d twice or not".formatted(pool, made.number()));
                    }
                    for (String id : made.covers()) {
                        Entry cause = first.get(id);
                        if (made.number() == 0
                                && (cause == null
                                        || cause.event() instanceof PoolEvent.Published)) {
                            continue; // refused, though it may have been sent again since
                        }
                        if (!covered.add(id)) {
                            findings.add("%s is covered twice".formatted(id));
                        }
                        if (cause == null || cause.offset() <= through) {
                            findings.add("%s is covered out of order".formatted(id));
                        } else {
                            through = cause.offset();
                        }
                    }
                    if (made.number() > 0
                            && !made.members().equals(members(pool, through, first))) {
                        findings.add(
                                "%s generation %d has %s, expected %s"
                                        .formatted(
                                                pool,
                                                made.number(),
                                                made.members(),
                                                members(pool, through, first)));
                    }
                }
                Set<String> end = members(pool, Long.MAX_VALUE, first);
                if (!end.isEmpty() && !end.equals(lastMembers(pool)) && !gaveUp(pool)) {
                    findings.add(
                            "%s ends with %s, expected %s".formatted(pool, lastMembers(pool), end));
                }
            }
        }

        /// Whether what a pool wants has failed for good.
        private boolean gaveUp(String pool) {
            PoolState state = Objects.requireNonNull(table.get(pool));
            return Wish.of(state)
                    .filter(wish -> wish.id().equals(state.failedRequest()))
                    .isPresent();
        }

        private static String id(Entry entry) {
            return Objects.requireNonNull(entry.event()).eventId();
        }

        private Set<String> lastMembers(String pool) {
            Set<String> last = Set.of();
            for (Made made : generations) {
                last = made.pool().equals(pool) && made.number() > 0 ? made.members() : last;
            }
            return last;
        }

        private Set<String> members(String pool, long through, Map<String, Entry> first) {
            Map<String, String> members = new HashMap<>();
            for (Entry entry : log) {
                if (entry.offset() <= through
                        && entry.event() != null
                        && entry.event().pool().equals(pool)
                        && entry.equals(first.get(id(entry)))) {
                    switch (entry.event()) {
                        case PoolEvent.Published one -> members.put(one.task(), one.eventId());
                        case PoolEvent.Retired one -> members.remove(one.task());
                        case PoolEvent.Configured _ -> {}
                    }
                }
            }
            return new HashSet<>(members.values());
        }
    }
}
