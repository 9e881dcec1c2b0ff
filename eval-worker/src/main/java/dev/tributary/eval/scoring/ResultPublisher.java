package dev.tributary.eval.scoring;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.eval.scoring.ScoringRequest.Subject;
import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.TaskResult.Failed;
import dev.tributary.eval.verdict.TaskResult.Scored;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.TaskEvaluated;
import dev.tributary.schemas.DeadLetterRecord;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import dev.tributary.schemas.UndecodableRecordException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/// Writes what came of a request and returns once the broker has it. The same result may be written
/// twice when a worker ends in between; whoever reads takes the first.
///
/// @param worker names this program
record ResultPublisher(
        Producer<byte[], byte[]> producer,
        Serializer<SpecificRecord> events,
        String group,
        String worker,
        Clock clock) {

    private static final String STAGE = "decode";

    /// @throws KafkaException when the broker did not take it
    void publish(Headers cause, Subject subject, TaskResult result, double seconds)
            throws InterruptedException {
        Instant now = clock.instant();
        TaskEvaluated.Builder event =
                TaskEvaluated.newBuilder()
                        .setPool(subject.pool())
                        .setNumber(subject.number())
                        .setGenerationId(subject.generationId())
                        .setTask(subject.task())
                        .setSeconds(seconds)
                        .setWorker(worker)
                        .setEvaluatedAt(now);
        switch (result) {
            case Scored scored ->
                    event.setMetric(scored.metric())
                            .setItems(scored.items())
                            .setScore(scored.score())
                            .setExpertScore(scored.expertScore())
                            .setRetention(
                                    scored.retention().isPresent()
                                            ? scored.retention().getAsDouble()
                                            : null)
                            .setInterference(scored.interference())
                            .setCorrect(scored.correct().toBytes())
                            .setItemsDigest(scored.itemsDigest());
            case Failed failed ->
                    event.setMetric("")
                            .setItems(0)
                            .setItemsDigest("")
                            .setFailureCode(failed.code())
                            .setFailureSentence(failed.sentence());
        }
        await(
                List.of(
                        send(
                                Topic.TASK_EVALUATIONS,
                                subject.pool().getBytes(UTF_8),
                                event.build(),
                                cause,
                                now)));
    }

    /// Sets a request aside that is none: byte for byte, and as an event programs can read.
    ///
    /// @throws KafkaException when the broker did not take it
    void setAside(ConsumerRecord<byte[], byte[]> record, UndecodableRecordException failure)
            throws InterruptedException {
        Instant now = clock.instant();
        String sentence = String.valueOf(failure.getMessage());
        List<Future<?>> sent = new ArrayList<>();
        sent.add(
                producer.send(
                        new DeadLetterRecord(
                                        record,
                                        group,
                                        failure.code(),
                                        sentence,
                                        STAGE,
                                        worker,
                                        failure)
                                .toProducerRecord(Topic.EVALUATION_REQUESTS_DLQ)));
        DeadLetter letter =
                DeadLetter.newBuilder()
                        .setCode(failure.code())
                        .setSentences(List.of(sentence))
                        .setTopic(record.topic())
                        .setPartition(record.partition())
                        .setOffset(record.offset())
                        .setEventId(EventHeaders.text(record.headers(), "ce_id").orElse(null))
                        .setPool(EventHeaders.text(record.headers(), "ce_subject").orElse(null))
                        .setStage(STAGE)
                        .setWorker(worker)
                        .setFailedAt(now)
                        .build();
        byte @Nullable [] key = letter.getPool() == null ? null : letter.getPool().getBytes(UTF_8);
        sent.add(send(Topic.DEAD_LETTERS, key, letter, record.headers(), now));
        await(sent);
    }

    private Future<?> send(
            Topic topic,
            byte @Nullable [] key,
            SpecificRecordBase event,
            Headers cause,
            Instant now) {
        return producer.send(
                new ProducerRecord<>(
                        topic.topicName(),
                        null,
                        key,
                        events.serialize(topic.topicName(), event),
                        EventHeaders.following(cause, event, worker, now)));
    }

    private void await(List<Future<?>> sent) throws InterruptedException {
        producer.flush();
        for (Future<?> future : sent) {
            try {
                var _ = future.get();
            } catch (ExecutionException e) {
                throw e.getCause() instanceof KafkaException failure
                        ? failure
                        : new KafkaException(e.getCause());
            }
        }
    }
}
