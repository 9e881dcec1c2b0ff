package dev.tributary.cli;

import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import java.time.Instant;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

/// Publishes a person's events and waits until the broker has them.
final class EventPublisher implements AutoCloseable {
    private final Connection connection;
    private final KafkaProducer<String, SpecificRecord> producer;

    EventPublisher(Connection connection) {
        this.connection = connection;
        Properties settings = new Properties();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, connection.bootstrapServers());
        settings.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 15_000);
        settings.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 30_000);
        settings.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 10_000);
        AvroWireSerializer values = new AvroWireSerializer();
        values.configure(Map.of("schema.registry.url", connection.registryUrl()), false);
        producer = new KafkaProducer<>(settings, new StringSerializer(), values);
    }

    /// Publishes an event under a pool's key, with CloudEvents headers, and says where it lies.
    RecordMetadata publish(Topic topic, String pool, SpecificRecordBase event) {
        ProducerRecord<String, SpecificRecord> record =
                new ProducerRecord<>(
                        topic.topicName(),
                        null,
                        pool,
                        event,
                        EventHeaders.of(event, "tributary-cli", Instant.now()));
        try {
            return producer.send(record).get();
        } catch (ExecutionException e) {
            throw new UnreachableException(
                    "[%s] the event was not published: %s"
                            .formatted(connection.bootstrapServers(), e.getCause()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while publishing", e);
        }
    }

    @Override
    public void close() {
        producer.close();
    }
}
