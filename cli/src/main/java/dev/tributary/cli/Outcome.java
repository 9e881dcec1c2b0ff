package dev.tributary.cli;

import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMerged;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;

/// How an event that was published ended.
///
/// @param good whether a generation answers it, or the pool had nothing to change
/// @param sentence what a person reads
record Outcome(boolean good, String sentence) {
    static final List<Topic> TOPICS = List.of(Topic.GENERATIONS, Topic.DEAD_LETTERS);

    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

    /// Waits for the end of an event; the log must follow [#TOPICS] since before it was published.
    ///
    /// An event that changes nothing, such as a checkpoint the pool has already, is answered by the
    /// workers' offset alone, which moves past it.
    static Outcome await(
            EventLog log,
            Connection connection,
            String pool,
            Published published,
            Duration timeout) {
        Instant deadline = Instant.now().plus(timeout);
        try (PoolEventOffsets offsets = new PoolEventOffsets(connection)) {
            while (Instant.now().isBefore(deadline)) {
                var answer = log.await(event -> answers(event, published), BETWEEN_LOOKS);
                if (answer.isEmpty() && offsets.isAnswered(published)) {
                    answer =
                            log.awaitUpTo(
                                    offsets.endsOf(TOPICS, published.partition()),
                                    event -> answers(event, published),
                                    deadline);
                    if (answer.isEmpty()) {
                        return new Outcome(true, nothingNew(pool, log));
                    }
                }
                if (answer.isPresent()) {
                    return of(answer.get().value());
                }
            }
        }
        return new Outcome(
                false,
                "[%s] no answer to event %s in %d s: `tributary status %s` shows where the pool stands"
                        .formatted(pool, published.eventId(), timeout.toSeconds(), pool));
    }

    private static boolean answers(SpecificRecord event, Published published) {
        String eventId = published.eventId();
        return switch (event) {
            case GenerationMerged merged ->
                    merged.getCovers().contains(eventId)
                            || merged.getSuperseded().contains(eventId);
            case GenerationFailed failed -> failed.getCovers().contains(eventId);
            case DeadLetter letter -> eventId.equals(letter.getEventId());
            default -> false;
        };
    }

    private static String nothingNew(String pool, EventLog log) {
        PoolStatus status = PoolStatus.readAll(log).get(pool);
        var generation =
                status == null || status.state == null ? null : status.state.getGeneration();
        return generation == null
                ? "[%s] nothing to merge".formatted(pool)
                : "[%s] nothing new: generation %d has it already"
                        .formatted(pool, generation.getNumber());
    }

    private static Outcome of(SpecificRecord event) {
        return new Outcome(event instanceof GenerationMerged, WatchCommand.sentence(event));
    }
}
