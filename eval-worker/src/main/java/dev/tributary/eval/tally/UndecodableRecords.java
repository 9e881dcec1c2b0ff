package dev.tributary.eval.tally;

import dev.tributary.events.DeadLetter;
import dev.tributary.schemas.DeadLetterRecord;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import dev.tributary.schemas.UndecodableRecordException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.errors.DeserializationExceptionHandler;
import org.apache.kafka.streams.errors.ErrorHandlerContext;
import org.jboss.logging.Logger;

/// Sets records aside that are no events, so that the stream goes on: byte for byte into the dead
/// letter queue of their topic where it has one, and as a [DeadLetter] that names the place where
/// the bytes still lie. Both are written in the transaction that moves past the record.
///
/// A registry that does not answer is no fault of the record: the stream stops and is started again
/// later.
public final class UndecodableRecords implements DeserializationExceptionHandler {

    /// The setting under which Streams hands over the [Parts].
    static final String PARTS = "tributary.undecodable.records";

    private static final Logger LOG = Logger.getLogger(UndecodableRecords.class);
    private static final String STAGE = "decode";

    private Parts parts = Parts.NONE;

    /// What this handler works with.
    ///
    /// @param events writes events
    /// @param group the consumer group of the stream
    /// @param worker names this program
    record Parts(Serializer<SpecificRecord> events, String group, String worker, Clock clock) {

        static final Parts NONE =
                new Parts(
                        (topic, _) -> {
                            throw new IllegalStateException(
                                    "[%s] is not set, expected what dead letters are written with"
                                            .formatted(PARTS));
                        },
                        "",
                        "",
                        Clock.systemUTC());
    }

    @Override
    public void configure(Map<String, ?> configuration) {
        if (configuration.get(PARTS) instanceof Parts given) {
            parts = given;
        }
    }

    @Override
    public Response handleError(
            ErrorHandlerContext context, ConsumerRecord<byte[], byte[]> record, Exception failure) {
        if (!(failure instanceof UndecodableRecordException undecodable)) {
            return Response.fail();
        }
        if (record.topic().equals(Topic.POOL_EVENTS.topicName())) {
            return Response.resume(); // the merge-worker answers for this topic
        }
        LOG.warnf(
                "record set aside code=%s topic=%s partition=%d offset=%d: %s",
                undecodable.code(),
                record.topic(),
                record.partition(),
                record.offset(),
                undecodable.getMessage());
        List<ProducerRecord<byte[], byte[]>> letters = new ArrayList<>();
        Topic.named(record.topic())
                .flatMap(Topic::deadLetterQueue)
                .ifPresent(queue -> letters.add(asItCame(record, undecodable, queue)));
        letters.add(deadLetter(record, undecodable));
        return Response.resume(letters);
    }

    private ProducerRecord<byte[], byte[]> asItCame(
            ConsumerRecord<byte[], byte[]> record,
            UndecodableRecordException failure,
            Topic queue) {
        return new DeadLetterRecord(
                        record,
                        parts.group(),
                        failure.code(),
                        String.valueOf(failure.getMessage()),
                        STAGE,
                        parts.worker(),
                        failure)
                .toProducerRecord(queue);
    }

    private ProducerRecord<byte[], byte[]> deadLetter(
            ConsumerRecord<byte[], byte[]> record, UndecodableRecordException failure) {
        Instant now = parts.clock().instant();
        DeadLetter event =
                DeadLetter.newBuilder()
                        .setCode(failure.code())
                        .setSentences(List.of(String.valueOf(failure.getMessage())))
                        .setTopic(record.topic())
                        .setPartition(record.partition())
                        .setOffset(record.offset())
                        .setEventId(EventHeaders.text(record.headers(), "ce_id").orElse(null))
                        .setPool(
                                record.key() == null
                                        ? null
                                        : new String(record.key(), StandardCharsets.UTF_8))
                        .setStage(STAGE)
                        .setWorker(parts.worker())
                        .setFailedAt(now)
                        .build();
        String topic = Topic.DEAD_LETTERS.topicName();
        return new ProducerRecord<>(
                topic,
                null,
                null,
                record.key(),
                parts.events().serialize(topic, event),
                EventHeaders.following(record.headers(), event, parts.worker(), now));
    }
}
