package dev.tributary.cli;

import dev.tributary.events.DeadLetterSettled;
import dev.tributary.events.Settlement;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.DeadLetterRecord;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// The dead-letter queues of an installation: what lies in them, and ways out of them. A record and
/// the event that says what was done about it are written in one transaction.
final class DeadLetterQueues {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final String SOURCE = "tributary-cli";

    private final Connection connection;

    DeadLetterQueues(Connection connection) {
        this.connection = connection;
    }

    /// Everything that is kept, oldest first.
    List<SetAside> read() {
        Map<String, DeadLetterSettled> settled = settled();
        List<TopicPartition> partitions = new ArrayList<>();
        for (Topic queue : Topic.queues()) {
            partitions.addAll(partitions(queue));
        }
        List<SetAside> all = new ArrayList<>();
        for (ConsumerRecord<byte[], byte[]> record : read(partitions, Map.of())) {
            all.add(
                    new SetAside(
                            record,
                            settled.get(
                                    place(record.topic(), record.partition(), record.offset()))));
        }
        all.sort((a, b) -> {
            int byTime = Long.compare(a.record().timestamp(), b.record().timestamp());
            return byTime != 0 ? byTime : a.id().compareTo(b.id());
        });
        return all;
    }

    /// The pools' events as they came, from these offsets on, or from the first.
    List<ConsumerRecord<byte[], byte[]>> poolEventsFrom(Map<TopicPartition, Long> offsets) {
        return read(partitions(Topic.POOL_EVENTS), offsets);
    }

    private static List<TopicPartition> partitions(Topic topic) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (int partition = 0; partition < topic.partitions(); partition++) {
            partitions.add(new TopicPartition(topic.topicName(), partition));
        }
        return partitions;
    }

    private List<ConsumerRecord<byte[], byte[]>> read(
            List<TopicPartition> partitions, Map<TopicPartition, Long> from) {
        Properties settings = new Properties();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, connection.bootstrapServers());
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(
                        settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            from.forEach((partition, offset) -> {
                if (partitions.contains(partition)) {
                    consumer.seek(partition, offset);
                }
            });
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (!ends.entrySet().stream()
                    .allMatch(end -> consumer.position(end.getKey()) >= end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(all::add);
            }
        } catch (KafkaException e) {
            throw unreachable(e);
        }
        return all;
    }

    private Map<String, DeadLetterSettled> settled() {
        Map<String, DeadLetterSettled> settled = new HashMap<>();
        try (EventLog log = EventLog.open(connection)) {
            for (var record : log.read(List.of(Topic.SETTLEMENTS), _ -> true)) {
                if (record.value() instanceof DeadLetterSettled event) {
                    settled.put(
                            place(event.getQueue(), event.getPartition(), event.getOffset()),
                            event);
                }
            }
        }
        return settled;
    }

    private static String place(String topic, int partition, long offset) {
        return "%s-%d@%d".formatted(topic, partition, offset);
    }

    /// Sends records to their first topics once more, all or none of them.
    void replay(List<SetAside> letters, @Nullable String reason) {
        settle(letters, Settlement.REPLAYED, reason);
    }

    /// Says that nothing will come of these.
    void discard(List<SetAside> letters, String reason) {
        settle(letters, Settlement.DISCARDED, reason);
    }

    private void settle(List<SetAside> letters, Settlement settlement, @Nullable String reason) {
        Properties settings = new Properties();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, connection.bootstrapServers());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 15_000);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 30_000);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, "tributary-dlq-" + UUID.randomUUID());
        AvroWireSerializer events = new AvroWireSerializer();
        events.configure(Map.of("schema.registry.url", connection.registryUrl()), false);
        try (events;
                KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(
                                settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.initTransactions();
            producer.beginTransaction();
            for (SetAside letter : letters) {
                if (settlement == Settlement.REPLAYED) {
                    var _ = producer.send(DeadLetterRecord.replayed(letter.record()));
                }
                var _ = producer.send(settled(letter, settlement, reason, events));
            }
            producer.commitTransaction(); // fails where any of them was not sent
        } catch (KafkaException e) {
            throw unreachable(e);
        }
    }

    private static ProducerRecord<byte[], byte[]> settled(
            SetAside letter,
            Settlement settlement,
            @Nullable String reason,
            AvroWireSerializer events) {
        Instant now = Instant.now();
        DeadLetterSettled event =
                DeadLetterSettled.newBuilder()
                        .setQueue(letter.record().topic())
                        .setPartition(letter.record().partition())
                        .setOffset(letter.record().offset())
                        .setSettlement(settlement)
                        .setReason(reason)
                        .setSettledBy(System.getProperty("user.name"))
                        .setSettledAt(now)
                        .build();
        String topic = Topic.SETTLEMENTS.topicName();
        return new ProducerRecord<>(
                topic,
                null,
                null,
                letter.record().key(),
                events.serialize(topic, event),
                EventHeaders.following(letter.record().headers(), event, SOURCE, now));
    }

    private UnreachableException unreachable(KafkaException e) {
        return new UnreachableException(
                "[%s] the dead-letter queues cannot be reached: %s"
                        .formatted(connection.bootstrapServers(), e.getMessage()));
    }
}
