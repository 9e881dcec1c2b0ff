package dev.tributary.cli;

import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Predicate;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;

/// Reads events as a bystander: no consumer group, nothing committed, committed transactions only.
///
/// Not safe for use by several threads.
public final class EventLog implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Connection connection;
    private final KafkaConsumer<String, SpecificRecord> consumer;

    private EventLog(Connection connection, KafkaConsumer<String, SpecificRecord> consumer) {
        this.connection = connection;
        this.consumer = consumer;
    }

    public static EventLog open(Connection connection) {
        Properties settings = new Properties();
        settings.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, connection.bootstrapServers());
        settings.put(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed");
        settings.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
        settings.put(ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, (int) PATIENCE.toMillis());
        AvroWireDeserializer values = new AvroWireDeserializer();
        values.configure(Map.of("schema.registry.url", connection.registryUrl()), false);
        try {
            return new EventLog(
                    connection, new KafkaConsumer<>(settings, new StringDeserializer(), values));
        } catch (KafkaException e) {
            throw unreachable(connection);
        }
    }

    /// Every event these topics hold now for these keys, in the order of each partition.
    public List<ConsumerRecord<String, SpecificRecord>> read(
            Collection<Topic> topics, Predicate<String> key) {
        List<TopicPartition> partitions = assign(topics);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = ends(partitions);
        List<ConsumerRecord<String, SpecificRecord>> events = new ArrayList<>();
        while (!reached(ends)) {
            for (var record : consumer.poll(Duration.ofMillis(200))) {
                if (key.test(record.key())) {
                    events.add(record);
                }
            }
        }
        return events;
    }

    /// Follows these topics from now on (call before what is to be awaited is published).
    public void startFollowing(Collection<Topic> topics, boolean fromTheStart) {
        List<TopicPartition> partitions = assign(topics);
        if (fromTheStart) {
            consumer.seekToBeginning(partitions);
        } else {
            consumer.seekToEnd(partitions);
            partitions.forEach(consumer::position);
        }
    }

    /// What has arrived since the last call, waiting a moment for it.
    public List<ConsumerRecord<String, SpecificRecord>> poll(Duration patience) {
        List<ConsumerRecord<String, SpecificRecord>> events = new ArrayList<>();
        consumer.poll(patience).forEach(events::add);
        return events;
    }

    /// Waits for an event that matches; empty result = the deadline passed.
    java.util.Optional<ConsumerRecord<String, SpecificRecord>> await(
            Predicate<SpecificRecord> wanted, Duration timeout) {
        Instant deadline = Instant.now().plus(timeout);
        while (Instant.now().isBefore(deadline)) {
            for (var record : poll(Duration.ofMillis(200))) {
                if (wanted.test(record.value())) {
                    return java.util.Optional.of(record);
                }
            }
        }
        return java.util.Optional.empty();
    }

    /// Waits until the partitions that are followed have been read up to these offsets, or for an
    /// event that matches; empty result = there is none, or the deadline passed.
    java.util.Optional<ConsumerRecord<String, SpecificRecord>> awaitUpTo(
            Map<TopicPartition, Long> ends, Predicate<SpecificRecord> wanted, Instant deadline) {
        while (!reached(ends) && Instant.now().isBefore(deadline)) {
            for (var record : poll(Duration.ofMillis(200))) {
                if (wanted.test(record.value())) {
                    return java.util.Optional.of(record);
                }
            }
        }
        return java.util.Optional.empty();
    }

    @Override
    public void close() {
        consumer.close();
    }

    private List<TopicPartition> assign(Collection<Topic> topics) {
        List<TopicPartition> partitions = new ArrayList<>();
        try {
            for (Topic topic : topics) {
                var found = consumer.partitionsFor(topic.topicName());
                if (found != null) {
                    found.forEach(
                            p -> partitions.add(new TopicPartition(p.topic(), p.partition())));
                }
            }
        } catch (TimeoutException e) {
            throw unreachable(connection);
        }
        consumer.assign(partitions);
        return partitions;
    }

    private Map<TopicPartition, Long> ends(List<TopicPartition> partitions) {
        return new HashMap<>(consumer.endOffsets(partitions));
    }

    private boolean reached(Map<TopicPartition, Long> ends) {
        return ends.entrySet().stream()
                .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
    }

    private static UnreachableException unreachable(Connection connection) {
        return new UnreachableException(
                "[%s] the broker does not answer: is the stack up? `tributary doctor` says what is wrong"
                        .formatted(connection.bootstrapServers()));
    }
}
