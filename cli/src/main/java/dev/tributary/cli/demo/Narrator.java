package dev.tributary.cli.demo;

import dev.tributary.cli.Connection;
import dev.tributary.cli.EventLog;
import dev.tributary.cli.Terminal;
import dev.tributary.events.AlertState;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.RegressionAlert;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.apache.avro.specific.SpecificRecord;
import org.jspecify.annotations.Nullable;

/// Follows the pool's events on a thread of its own and tells what happens: progress of the
/// workers, a table for each generation, verdicts, promotions and alerts.
final class Narrator implements AutoCloseable {
    private static final List<Topic> TOPICS =
            List.of(
                    Topic.GENERATIONS,
                    Topic.EVALUATIONS,
                    Topic.PROMOTIONS,
                    Topic.ALERTS,
                    Topic.DEAD_LETTERS);

    private final String pool;
    private final EventLog log;
    private final TestScores scores;
    private final DemoSummary summary;
    private final Terminal terminal;
    private final WorkerProgress progress;
    private final Thread thread;

    private final Map<String, Long> generationOf = new HashMap<>();
    private final Set<Long> evaluated = new HashSet<>();
    private final Set<Long> scored = new HashSet<>();
    private final Set<String> firing = new HashSet<>();
    private final Set<String> damagedDigests = new HashSet<>();
    private @Nullable Throwable failure;
    private boolean closed;

    private Narrator(
            Connection connection,
            String pool,
            TestScores scores,
            DemoSummary summary,
            Terminal terminal) {
        this.pool = pool;
        this.scores = scores;
        this.summary = summary;
        this.terminal = terminal;
        log = EventLog.open(connection);
        log.startFollowing(TOPICS, false);
        progress = WorkerProgress.start(connection, pool, terminal);
        thread = Thread.ofPlatform().name("narrator").unstarted(this::follow);
    }

    static Narrator start(
            Connection connection,
            String pool,
            TestScores scores,
            DemoSummary summary,
            Terminal terminal) {
        Narrator narrator = new Narrator(connection, pool, scores, summary, terminal);
        narrator.thread.start();
        return narrator;
    }

    /// From now on generations with this checkpoint count as damaged.
    synchronized void announceDamage(String task, String digest) {
        damagedDigests.add(task + digest);
    }

    synchronized boolean firing(String task) {
        return firing.contains(task);
    }

    /// Waits until there is a generation that answers an event.
    void awaitMerged(String eventId, Duration patience) throws InterruptedException {
        await(() -> generationOf.containsKey(eventId), eventId, patience);
    }

    /// Waits until the generation that answers an event has its verdict and its table.
    void awaitScored(String eventId, Duration patience) throws InterruptedException {
        await(() -> done(eventId), eventId, patience);
    }

    private synchronized void await(BooleanSupplier reached, String eventId, Duration patience)
            throws InterruptedException {
        Instant deadline = Instant.now().plus(patience);
        while (!reached.getAsBoolean()) {
            if (failure != null) {
                throw new IllegalStateException(failure.getMessage(), failure);
            }
            long left = Duration.between(Instant.now(), deadline).toMillis();
            if (left <= 0) {
                throw new IllegalStateException(
                        "[%s] no generation answers event %s within %s: the logs folder has the workers' logs"
                                .formatted(pool, eventId, Terminal.duration(patience)));
            }
            wait(left);
        }
    }

    private synchronized boolean done(String eventId) {
        Long number = generationOf.get(eventId);
        return number != null && evaluated.contains(number) && scored.contains(number);
    }

    private void follow() {
        try {
            while (!isClosed()) {
                for (var record : log.poll(Duration.ofMillis(300))) {
                    if (pool.equals(record.key())) {
                        tell(record.value());
                    }
                }
            }
        } catch (RuntimeException e) {
            fail(e);
        } finally {
            log.close();
        }
    }

    private void tell(SpecificRecord event) {
        switch (event) {
            case GenerationMerged merged -> merged(merged);
            case GenerationFailed failed ->
                    fail(
                            new IllegalStateException(
                                    "merge failed: %s %s"
                                            .formatted(failed.getCode(), failed.getSentences())));
            case GenerationEvaluated verdict -> verdict(verdict);
            case GenerationPromoted promoted ->
                    terminal.line(
                            "  generation %d is the champion".formatted(promoted.getNumber()));
            case RegressionAlert alert -> alert(alert);
            case DeadLetter letter ->
                    fail(
                            new IllegalStateException(
                                    "set aside: %s %s"
                                            .formatted(letter.getCode(), letter.getSentences())));
            default -> {}
        }
    }

    private void merged(GenerationMerged merged) {
        synchronized (this) {
            merged.getCovers().forEach(id -> generationOf.put(id, merged.getNumber()));
            notifyAll();
        }
        terminal.line(
                "  generation %d merged, members %d, %s"
                        .formatted(
                                merged.getNumber(),
                                merged.getMembers().size(),
                                merged.getReusedArtifact()
                                        ? "re-used: merged before"
                                        : "in "
                                                + Terminal.duration(
                                                        Duration.ofMillis(
                                                                (long)
                                                                        (merged.getSeconds()
                                                                                * 1000)))));
        ScoredGeneration generation = scores.score(merged, isDamaged(merged));
        summary.add(generation);
        terminal.heading("Generation %d, scores on test data".formatted(generation.number()));
        GenerationTable.print(terminal, generation);
        synchronized (this) {
            scored.add(merged.getNumber());
            notifyAll();
        }
    }

    private synchronized boolean isDamaged(GenerationMerged merged) {
        return merged.getMembers().stream()
                .anyMatch(member ->
                        damagedDigests.contains(
                                member.getTask() + member.getCheckpoint().getDigest()));
    }

    private void verdict(GenerationEvaluated verdict) {
        summary.verdict(verdict.getNumber(), verdict.getVerdict().toString());
        boolean good = verdict.getVerdict() == dev.tributary.events.Verdict.PASS;
        terminal.line(
                "  generation %d: %s  %s"
                        .formatted(
                                verdict.getNumber(),
                                terminal.coloured(verdict.getVerdict().toString(), good),
                                verdict.getSentence()));
        synchronized (this) {
            evaluated.add(verdict.getNumber());
            notifyAll();
        }
    }

    private void alert(RegressionAlert alert) {
        summary.alert(alert);
        boolean resolved = alert.getState() == AlertState.RESOLVED;
        terminal.line(
                "  %s  %s"
                        .formatted(
                                terminal.coloured("ALERT " + alert.getState(), resolved),
                                alert.getSentence()));
        synchronized (this) {
            String subject = alert.getTask() == null ? pool : alert.getTask();
            if (resolved) {
                firing.remove(subject);
            } else {
                firing.add(subject);
            }
            notifyAll();
        }
    }

    private synchronized void fail(RuntimeException e) {
        failure = e;
        notifyAll();
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        synchronized (this) {
            closed = true;
        }
        progress.close();
        try {
            thread.join(Duration.ofSeconds(30));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
