package dev.tributary.cli.chaos;

import org.jspecify.annotations.Nullable;

/// A record of the pool events that the broker has taken.
///
/// @param eventId null for a record that is no event
/// @param task null where the event is about a whole pool
/// @param offset its place in its partition
record Sent(
        Kind kind,
        @Nullable String eventId,
        String pool,
        @Nullable String task,
        int partition,
        long offset) {

    enum Kind {
        /// A pool is configured.
        CONFIGURE,
        /// A new checkpoint that fits.
        PUBLISH,
        /// A checkpoint of another base: to be refused.
        WRONG_BASE,
        /// Bytes that are no event: to be refused.
        GARBAGE,
        /// An event that was sent before, once more: to change nothing.
        AGAIN,
        /// A task is withdrawn.
        RETIRE
    }

    /// Where it lies, for people.
    String place() {
        return "%s %s of %s at %d@%d".formatted(kind, eventId, pool, partition, offset);
    }
}
