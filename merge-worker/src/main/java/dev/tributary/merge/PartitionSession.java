package dev.tributary.merge;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.FaultPoint;
import dev.tributary.tensors.RefusedException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// One spell of owning a partition: from shutting earlier owners out and reading what they have
/// left, over taking events in, merging and answering, to the moment something makes it uncertain
/// what has been published. Then a new spell begins, from what is committed.
final class PartitionSession implements AutoCloseable {
    private static final Logger LOG = Logger.getLogger(PartitionSession.class);
    private static final Duration IDLE = Duration.ofSeconds(1);
    private static final long PERMIT_MILLIS = 200;

    private final Equipment equipment;
    private final TopicPartition partition;
    private final RecordQueue queue;
    private final Ownership ownership;
    private final AnswerPublisher publisher;
    private final AnswerRecords answers;
    private final EventIntake intake;
    private final PartitionBook book;
    private final Map<String, Integer> failures = new HashMap<>();
    private long committed;
    private volatile long wishes;

    private PartitionSession(
            Equipment equipment,
            TopicPartition partition,
            RecordQueue queue,
            Ownership ownership,
            AnswerPublisher publisher)
            throws InterruptedException {
        this.equipment = equipment;
        this.partition = partition;
        this.queue = queue;
        this.ownership = ownership;
        this.publisher = publisher;
        this.answers =
                new AnswerRecords(
                        equipment.serializer(),
                        partition.partition(),
                        MergeWorker.GROUP,
                        equipment.workerName(),
                        equipment.codeVersion());
        this.committed = GroupOffset.read(equipment.admin(), MergeWorker.GROUP, partition);
        this.book =
                new PartitionBook(
                        new PoolTable(equipment.clients(), equipment.deserializer())
                                .read(partition.partition()),
                        committed);
        this.intake = new EventIntake(equipment, book, queue);
    }

    /// Takes a partition over. What an earlier owner has not committed by now, it never will.
    static PartitionSession open(
            Equipment equipment,
            TopicPartition partition,
            RecordQueue queue,
            Ownership ownership,
            Membership membership)
            throws InterruptedException {
        AnswerPublisher publisher =
                AnswerPublisher.open(equipment.clients(), partition, membership);
        try {
            return new PartitionSession(equipment, partition, queue, ownership, publisher);
        } catch (RuntimeException | InterruptedException | Error e) {
            publisher.close();
            throw e;
        }
    }

    /// Works until the partition is lost or this worker comes to its end.
    ///
    /// @throws AnswerPublisher.LostException when it is not certain what has been published
    void run() throws InterruptedException {
        if (!queue.start(committed, () -> !ownership.mayBegin())) {
            return;
        }
        while (!ownership.isLost()) {
            if (ownership.mayBegin()) {
                intake.takeIn(() -> !ownership.mayBegin());
            }
            wishes = book.wishes();
            switch (book.next(Instant.now())) {
                case Agenda.Settle(var pools) -> publish(book.settled(pools));
                case Agenda.Merge _ when !ownership.mayBegin() -> {
                    return;
                }
                case Agenda.Merge(Wish wish) -> merge(wish.pool());
                case Agenda.WaitUntil(Instant moment) -> {
                    if (!rest(Duration.between(Instant.now(), moment))) {
                        return;
                    }
                }
                case Agenda.Idle() -> {
                    if (!rest(IDLE)) {
                        return;
                    }
                }
            }
        }
    }

    /// How many pools wait for a merge; may be asked by any thread.
    long wishes() {
        return wishes;
    }

    /// Waits for records; when none come, moves the offset past markers of transactions, which
    /// would otherwise look like work for ever.
    ///
    /// @return false when this worker comes to its end
    private boolean rest(Duration atMost) throws InterruptedException {
        Duration wait = atMost.compareTo(IDLE) < 0 ? atMost : IDLE;
        boolean more = false;
        if (intake.blockedFor().isZero()) {
            more = queue.await(wait, () -> !ownership.mayBegin());
        } else {
            queue.pause(wait, () -> !ownership.mayBegin());
        }
        if (!more && !ownership.isLost() && book.answeredOffset() > committed) {
            publisher.publish(List.of(), book.answeredOffset(), ownership::isLost);
            committed = book.answeredOffset();
        }
        return ownership.mayBegin();
    }

    private void merge(String pool) throws InterruptedException {
        if (!equipment.mergePermits().tryAcquire(PERMIT_MILLIS, TimeUnit.MILLISECONDS)) {
            return;
        }
        try {
            intake.takeIn(() -> !ownership.mayBegin()); // what is queued by now is in this merge
            Wish wish = book.wish(pool);
            if (wish != null && ownership.mayBegin()) {
                merge(wish);
            }
        } finally {
            equipment.mergePermits().release();
        }
    }

    private void merge(Wish wish) throws InterruptedException {
        PoolState state = book.pool(wish.pool());
        @Nullable LastGeneration last = state == null ? null : state.last();
        MergeBoard.Running running =
                equipment.board().begin(wish, last == null ? 1 : last.number() + 1);
        Answer answer;
        try {
            MergedGeneration generation = make(wish, last, running);
            answer = book.merged(generation);
            running.end(generation.reused() ? MergeBoard.End.REUSED : MergeBoard.End.MERGED);
        } catch (Ownership.AbandonedException e) {
            running.end(MergeBoard.End.ABANDONED);
            throw e;
        } catch (RuntimeException | Error e) {
            @Nullable Answer failed = failed(wish, e);
            running.end(failed == null ? MergeBoard.End.RETRYING : MergeBoard.End.FAILED);
            if (failed == null) {
                return;
            }
            answer = failed;
        }
        publish(answer);
        failures.remove(wish.pool());
    }

    private MergedGeneration make(
            Wish wish, @Nullable LastGeneration last, MergeBoard.Running running) {
        LOG.logf(
                failures.containsKey(wish.pool()) ? Logger.Level.DEBUG : Logger.Level.INFO,
                "merging pool=%s generation=%s method=%s experts=%s",
                wish.pool(),
                wish.id().shortHex(),
                wish.method().id(),
                wish.tasks());
        String work = "merge " + wish.id();
        int attempt = equipment.ledger().begin(work);
        MergedGeneration generation;
        try {
            if (attempt > equipment.maxCrashes()) {
                throw crashLoop(wish.pool(), attempt - 1);
            }
            FaultPoint.MERGE_BEGUN.reached();
            generation = equipment.maker().make(wish, last, ownership.watching(running));
        } finally {
            equipment.ledger().end(work);
        }
        FaultPoint.GENERATION_MADE.reached();
        if (!generation.reused()) {
            equipment.meters().merged(Duration.ofMillis(Math.round(generation.seconds() * 1000)));
        }
        return generation;
    }

    static RefusedException crashLoop(String where, int crashes) {
        return new RefusedException(
                new Fault(
                        FailureCode.CRASH_LOOP,
                        where,
                        "ended this worker's process %d times: look for a crash report or a kill for memory, then publish again"
                                .formatted(crashes)));
    }

    /// What follows from a failure: an answer, or null when it is to be tried again.
    private @Nullable Answer failed(Wish wish, Throwable failure) {
        int attempt = failures.merge(wish.pool(), 1, Integer::sum);
        double random = ThreadLocalRandom.current().nextDouble();
        return switch (equipment.policy().dispose(wish.pool(), failure, attempt, random)) {
            case FailurePolicy.SetAside(List<Fault> faults) -> {
                LOG.warnf(
                        failure instanceof RefusedException ? null : failure,
                        "merge set aside pool=%s generation=%s faults=%s",
                        wish.pool(),
                        wish.id().shortHex(),
                        faults);
                yield book.failed(wish, faults);
            }
            case FailurePolicy.Retry(Duration delay) -> {
                LOG.logf(
                        attempt == 1 ? Logger.Level.WARN : Logger.Level.DEBUG,
                        "merge failed, it is tried again pool=%s generation=%s: %s",
                        wish.pool(),
                        wish.id().shortHex(),
                        FailurePolicy.text(failure));
                book.retry(wish.pool(), Instant.now().plus(delay));
                yield null;
            }
            case FailurePolicy.Halt() -> throw new HaltException(failure);
        };
    }

    private void publish(Answer answer) throws InterruptedException {
        publisher.publish(
                answers.of(answer, Instant.now()), answer.commitOffset(), ownership::isLost);
        book.published(answer);
        committed = answer.commitOffset();
        queue.stillOpen(book.waiting());
        tell(answer);
    }

    private void tell(Answer answer) {
        switch (answer.outcome()) {
            case Answer.Merged merged -> {
                equipment.meters().published(merged.generation());
                LOG.infof(
                        "published pool=%s number=%d generation=%s covers=%d superseded=%d reused=%s seconds=%.1f",
                        merged.generation().wish().pool(),
                        merged.generation().number(),
                        merged.generation().wish().id().shortHex(),
                        merged.covers().size(),
                        merged.superseded().size(),
                        merged.generation().reused(),
                        merged.generation().seconds());
            }
            case Answer.Failed _ -> equipment.meters().failed();
            case null -> {}
        }
        for (OpenRecord refused : answer.refused()) {
            equipment.meters().deadLetter(refused.faults().getFirst().code().name());
            LOG.warnf(
                    "set aside topic=%s partition=%d offset=%d pool=%s stage=%s faults=%s",
                    partition.topic(),
                    partition.partition(),
                    refused.offset(),
                    refused.read().pool(),
                    refused.stage().text(),
                    refused.faults());
        }
    }

    @Override
    public void close() {
        queue.close();
        publisher.close();
    }

    /// The process is not sound any more.
    static final class HaltException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        HaltException(Throwable cause) {
            super(cause);
        }
    }
}
