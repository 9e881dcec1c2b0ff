package dev.tributary.merge;

import dev.tributary.events.PoolUpdated;
import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;

/// Reads what has been written down about the pools of a partition. There is no other memory: what
/// a worker knows, it knows from here.
final class PoolTable {
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration STALLED = Duration.ofSeconds(30);

    private final KafkaClients clients;
    private final AvroWireDeserializer deserializer;

    PoolTable(KafkaClients clients, AvroWireDeserializer deserializer) {
        this.clients = clients;
        this.deserializer = deserializer;
    }

    /// The newest committed state of every pool of a partition.
    ///
    /// @throws TimeoutException when the broker stops answering on the way
    Map<String, PoolState> read(int partition) {
        TopicPartition table = new TopicPartition(Topic.POOL_STATES.topicName(), partition);
        Map<String, PoolState> states = new TreeMap<>();
        try (Consumer<byte[], byte[]> consumer = clients.table()) {
            consumer.assign(List.of(table));
            consumer.seekToBeginning(List.of(table));
            long end = consumer.endOffsets(List.of(table)).getOrDefault(table, 0L);
            long lastProgress = System.nanoTime();
            while (consumer.position(table) < end) {
                long before = consumer.position(table);
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (deserializer.deserialize(record.topic(), record.value())
                            instanceof PoolUpdated event) {
                        states.put(event.getPool(), PoolStateCodec.state(event));
                    }
                }
                long now = System.nanoTime();
                if (consumer.position(table) > before) {
                    lastProgress = now;
                } else if (now - lastProgress > STALLED.toNanos()) {
                    throw new TimeoutException(
                            "[%s] stands at %d of %d".formatted(table, before, end));
                }
            }
        }
        return states;
    }
}
