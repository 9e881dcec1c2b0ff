package dev.tributary.merge;

import dev.tributary.tensors.FaultPoint;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.FencedInstanceIdException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RebalanceInProgressException;

/// Publishes answers of one partition, each in one transaction with the offset it settles.
///
/// There is one transactional id a partition. Opening the publisher ends what an earlier owner of
/// the partition may have begun and shuts that owner out, however late it wakes up: a group's
/// membership alone does not, because the broker does not ask who owns the partition.
final class AnswerPublisher implements AutoCloseable {
    private static final Duration STALE_LIMIT = Duration.ofSeconds(30);

    private final Producer<byte[], byte[]> producer;
    private final TopicPartition source;
    private final Membership membership;

    /// How a transaction has ended when it has not ended well.
    static final class LostException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private final boolean fenced;

        LostException(boolean fenced, Throwable cause) {
            super(String.valueOf(cause.getMessage()), cause);
            this.fenced = fenced;
        }

        /// Whether another owner of the partition has taken over; otherwise the outcome is not
        /// known.
        boolean fenced() {
            return fenced;
        }
    }

    private AnswerPublisher(
            Producer<byte[], byte[]> producer, TopicPartition source, Membership membership) {
        this.producer = producer;
        this.source = source;
        this.membership = membership;
    }

    /// Takes a partition over.
    ///
    /// @param source the partition whose records are answered
    static AnswerPublisher open(
            KafkaClients clients, TopicPartition source, Membership membership) {
        String shortTopic = source.topic().substring(source.topic().indexOf('.') + 1);
        Producer<byte[], byte[]> producer =
                clients.transactional(
                        "%s-%s-%d".formatted(MergeWorker.GROUP, shortTopic, source.partition()));
        try {
            producer.initTransactions();
            return new AnswerPublisher(producer, source, membership);
        } catch (RuntimeException e) {
            producer.close(KafkaClients.CLOSE_TIMEOUT);
            throw e;
        }
    }

    /// Publishes these records and moves the group's offset, or neither.
    ///
    /// @param over answers true when this worker has lost the partition or is to stop at once
    /// @throws LostException when it is not certain that this owner has published; the publisher is
    ///   of no more use then, and what is committed has to be read again
    void publish(List<ProducerRecord<byte[], byte[]>> records, long offset, BooleanSupplier over)
            throws InterruptedException {
        Membership.AsOf as = membership.current();
        long deadline = System.nanoTime() + STALE_LIMIT.toNanos();
        while (true) {
            try {
                transact(records, offset, as);
                return;
            } catch (CommitFailedException | RebalanceInProgressException e) {
                if (over.getAsBoolean() || System.nanoTime() > deadline) {
                    throw new LostException(false, e);
                }
                as = membership.after(as, over);
            }
        }
    }

    private void transact(
            List<ProducerRecord<byte[], byte[]>> records, long offset, Membership.AsOf as) {
        try {
            producer.beginTransaction();
            FaultPoint.ANSWER_BEGUN.reached();
            for (ProducerRecord<byte[], byte[]> record : records) {
                var _ = producer.send(record);
            }
            FaultPoint.ANSWER_SENT.reached();
            producer.sendOffsetsToTransaction(
                    Map.of(source, new OffsetAndMetadata(offset)), as.metadata());
            FaultPoint.OFFSET_SENT.reached();
            producer.commitTransaction();
            FaultPoint.ANSWER_COMMITTED.reached();
        } catch (CommitFailedException | RebalanceInProgressException e) {
            abort(e);
            throw e;
        } catch (ProducerFencedException
                | InvalidProducerEpochException
                | FencedInstanceIdException e) {
            throw new LostException(true, e);
        } catch (OutOfOrderSequenceException e) {
            throw new LostException(false, e);
        } catch (KafkaException e) {
            throw new LostException(fencedBefore(e), e);
        }
    }

    private void abort(RuntimeException cause) {
        try {
            producer.abortTransaction();
        } catch (ProducerFencedException | InvalidProducerEpochException e) {
            e.addSuppressed(cause);
            throw new LostException(true, e);
        } catch (KafkaException e) {
            e.addSuppressed(cause);
            throw new LostException(fencedBefore(e), e);
        }
    }

    private static boolean fencedBefore(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (cause instanceof ProducerFencedException
                    || cause instanceof InvalidProducerEpochException) {
                return true;
            }
        }
        return false;
    }

    /// Leaves without waiting for what is under way: what is not committed does not count.
    @Override
    public void close() {
        producer.close(Duration.ZERO);
    }
}
