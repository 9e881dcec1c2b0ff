package dev.tributary.merge;

import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.jspecify.annotations.Nullable;

/// This worker's place in its consumer group as of the last poll. Taken by the thread that polls,
/// never at the moment of a commit: a worker that has slept must not learn of a new membership
/// between waking up and publishing.
final class Membership {
    private static final long CHECK_MILLIS = 200;

    private @Nullable ConsumerGroupMetadata metadata;
    private long polls;

    /// What is known, and as of which poll.
    record AsOf(ConsumerGroupMetadata metadata, long poll) {}

    /// A poll has returned.
    synchronized void polled(ConsumerGroupMetadata current) {
        metadata = current;
        polls++;
        notifyAll();
    }

    /// What is known now; waits for the first poll to return.
    synchronized AsOf current() throws InterruptedException {
        while (metadata == null) {
            wait();
        }
        return new AsOf(metadata, polls);
    }

    /// What is known once another two polls have returned: one may have been under way already.
    ///
    /// @return the same as before if the wait is over for another reason
    synchronized AsOf after(AsOf before, BooleanSupplier over) throws InterruptedException {
        while (polls < before.poll() + 2 && !over.getAsBoolean()) {
            wait(CHECK_MILLIS);
        }
        return current();
    }
}
