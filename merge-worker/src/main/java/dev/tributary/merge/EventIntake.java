package dev.tributary.merge;

import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Takes the records of a partition in, one after the other: reads each, looks at what it refers
/// to, and enters it into the book as accepted or refused.
final class EventIntake {
    private static final Logger LOG = Logger.getLogger(EventIntake.class);

    private final Equipment equipment;
    private final PartitionBook book;
    private final RecordQueue queue;
    private final PoolEventReader reader;
    private Instant retryAt = Instant.EPOCH;
    private int attempt;

    EventIntake(Equipment equipment, PartitionBook book, RecordQueue queue) {
        this.equipment = equipment;
        this.book = book;
        this.queue = queue;
        this.reader = new PoolEventReader(equipment.deserializer());
    }

    /// Takes in everything that is there. A record that cannot be judged at the moment, because the
    /// registry or the disk does not answer, stays first and is tried again later.
    void takeIn(BooleanSupplier over) {
        ConsumerRecord<byte[], byte[]> record = queue.first();
        while (record != null && !over.getAsBoolean() && !Instant.now().isBefore(retryAt)) {
            if (!takeIn(record)) {
                return;
            }
            attempt = 0;
            queue.removeFirst(book.waiting());
            record = queue.first();
        }
        queue.readTo().ifPresent(book::readTo);
    }

    /// How long until the first record is tried again; zero when none has to wait.
    Duration blockedFor() {
        Duration left = Duration.between(Instant.now(), retryAt);
        return left.isPositive() ? left : Duration.ZERO;
    }

    /// Whether the record has been entered.
    private boolean takeIn(ConsumerRecord<byte[], byte[]> record) {
        @Nullable PoolRecord read = null;
        try {
            read = reader.read(record);
            PoolEvent event = read.event();
            if (event == null) {
                book.refuse(read, read.faults(), OpenRecord.Stage.DECODE);
            } else if (book.knows(event, record.offset())) {
                book.readTo(record.offset() + 1);
            } else {
                book.accept(read, admit(read, event));
            }
            return true;
        } catch (RuntimeException | Error e) {
            return disposed(record, read, e);
        }
    }

    private PoolState admit(PoolRecord read, PoolEvent event) {
        if (!(event instanceof PoolEvent.Published)) {
            return equipment.admitter().admit(book.pool(event.pool()), event);
        }
        String work = "admit %s %s".formatted(read.place(), event.eventId());
        int begun = equipment.ledger().begin(work);
        try {
            if (begun > equipment.maxCrashes()) {
                throw PartitionSession.crashLoop(read.place(), begun - 1);
            }
            return equipment.admitter().admit(book.pool(event.pool()), event);
        } finally {
            equipment.ledger().end(work);
        }
    }

    private boolean disposed(
            ConsumerRecord<byte[], byte[]> record, @Nullable PoolRecord read, Throwable failure) {
        attempt++;
        double random = ThreadLocalRandom.current().nextDouble();
        String place = "%s-%d@%d".formatted(record.topic(), record.partition(), record.offset());
        return switch (equipment.policy().dispose(place, failure, attempt, random)) {
            case FailurePolicy.SetAside(List<Fault> faults) -> {
                if (!(failure instanceof RefusedException)) {
                    LOG.warnf(failure, "gave up record=%s", place);
                }
                PoolRecord known =
                        read == null
                                ? new PoolRecord(record, null, null, null, null, faults)
                                : read;
                book.refuse(known, faults, OpenRecord.Stage.ADMIT);
                yield true;
            }
            case FailurePolicy.Retry(Duration delay) -> {
                retryAt = Instant.now().plus(delay);
                if (attempt == 1) {
                    LOG.warnf(
                            "not judged yet, it is tried again record=%s: %s",
                            place, FailurePolicy.text(failure));
                }
                yield false;
            }
            case FailurePolicy.Halt() -> throw new PartitionSession.HaltException(failure);
        };
    }
}
