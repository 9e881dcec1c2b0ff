package dev.tributary.merge;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// Records of one partition on their way from the thread that polls to the thread that works on
/// them. The working side says where to begin; until the polling side has gone there, nothing gets
/// through, so records of an earlier beginning cannot slip in.
final class RecordQueue {
    private static final long CHECK_MILLIS = 200;

    private final Deque<ConsumerRecord<byte[], byte[]>> records = new ArrayDeque<>();
    private @Nullable Long wantedStart;
    private boolean open;
    private long position;
    private int openRecords;
    private long lag;

    // --- the polling side

    /// Where the working side wants to begin, if it is waiting for that.
    synchronized OptionalLong wantedStart() {
        return wantedStart == null ? OptionalLong.empty() : OptionalLong.of(wantedStart);
    }

    /// The consumer stands at this offset now.
    synchronized void startedAt(long offset) {
        if (wantedStart != null && wantedStart == offset) {
            wantedStart = null;
            position = offset;
            open = true;
            notifyAll();
        }
    }

    /// Hands records over.
    ///
    /// @param next where the consumer stands after them
    /// @param behind how many records are still on the broker
    synchronized void offer(List<ConsumerRecord<byte[], byte[]>> more, long next, long behind) {
        if (open) {
            records.addAll(more);
            position = next;
            lag = behind;
            notifyAll();
        }
    }

    /// Whether more records are welcome.
    synchronized boolean hasRoom(int limit) {
        return open && records.size() + openRecords < limit;
    }

    /// Whether records get through.
    synchronized boolean isOpen() {
        return open;
    }

    /// Records here and on the broker that have no answer yet.
    synchronized long backlog() {
        return records.size() + openRecords + lag;
    }

    // --- the working side

    /// Forgets everything and asks to begin here.
    ///
    /// @return whether that has happened, or the wait was over for another reason
    synchronized boolean start(long offset, BooleanSupplier over) throws InterruptedException {
        close();
        wantedStart = offset;
        while (!open && !over.getAsBoolean()) {
            wait(CHECK_MILLIS);
        }
        return open;
    }

    /// Lets nothing through any more and forgets what is here.
    synchronized void close() {
        records.clear();
        open = false;
        wantedStart = null;
        openRecords = 0;
        lag = 0;
    }

    /// The oldest record; null when there is none.
    synchronized @Nullable ConsumerRecord<byte[], byte[]> first() {
        return records.peekFirst();
    }

    /// The oldest record has been dealt with.
    ///
    /// @param stillOpen how many records taken from here wait for an answer now
    synchronized void removeFirst(int stillOpen) {
        records.removeFirst();
        openRecords = stillOpen;
    }

    /// How many records taken from here wait for an answer now.
    synchronized void stillOpen(int count) {
        openRecords = count;
    }

    /// The offset everything before which has been taken from here; empty while records are left.
    synchronized OptionalLong readTo() {
        return records.isEmpty() ? OptionalLong.of(position) : OptionalLong.empty();
    }

    /// Waits for a record, at most this long.
    ///
    /// @return whether there is one
    synchronized boolean await(Duration atMost, BooleanSupplier over) throws InterruptedException {
        long deadline = System.nanoTime() + atMost.toNanos();
        while (records.isEmpty() && !over.getAsBoolean()) {
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                break;
            }
            wait(Math.min(left, CHECK_MILLIS));
        }
        return !records.isEmpty();
    }

    /// Waits this long whether there are records or not.
    synchronized void pause(Duration time, BooleanSupplier over) throws InterruptedException {
        long deadline = System.nanoTime() + time.toNanos();
        long left = time.toMillis();
        while (left > 0 && !over.getAsBoolean()) {
            wait(Math.min(left, CHECK_MILLIS));
            left = (deadline - System.nanoTime()) / 1_000_000;
        }
    }
}
