package dev.tributary.cli;

import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMerged;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;

/// How an event that was published ended.
///
/// @param good whether a generation answers it
/// @param sentence what a person reads
record Outcome(boolean good, String sentence) {
    static final List<Topic> TOPICS = List.of(Topic.GENERATIONS, Topic.DEAD_LETTERS);

    /// Waits for the end of an event; the log must follow [#TOPICS] since before it was published.
    static Outcome await(EventLog log, String pool, String eventId, Duration timeout) {
        return log.await(event -> answers(event, eventId), timeout)
                .map(record -> of(record.value()))
                .orElseGet(() ->
                        new Outcome(
                                false,
                                "[%s] no answer to event %s in %d s: `tributary status %s` shows where the pool stands"
                                        .formatted(pool, eventId, timeout.toSeconds(), pool)));
    }

    private static boolean answers(SpecificRecord event, String eventId) {
        return switch (event) {
            case GenerationMerged merged ->
                    merged.getCovers().contains(eventId)
                            || merged.getSuperseded().contains(eventId);
            case GenerationFailed failed -> failed.getCovers().contains(eventId);
            case DeadLetter letter -> eventId.equals(letter.getEventId());
            default -> false;
        };
    }

    private static Outcome of(SpecificRecord event) {
        return new Outcome(event instanceof GenerationMerged, WatchCommand.sentence(event));
    }
}
