package dev.tributary.eval;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/// Opens clients of the broker with the settings this program depends on. Whoever asks for one
/// closes it.
final class KafkaClients {

    /// How long closing a client may take: what it still holds is not needed.
    static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);

    private static final Duration MAX_POLL_INTERVAL = Duration.ofMinutes(1);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration DELIVERY_TIMEOUT = Duration.ofSeconds(25);

    private final Map<String, String> connection;

    /// @param connection addresses and security, the same for every client
    KafkaClients(Map<String, String> connection) {
        this.connection = Map.copyOf(connection);
    }

    /// Reads requests as a member of the group, one at a time. It is polled all the time, so the
    /// longest interval between polls can be short and a loop that hangs is found soon.
    Consumer<byte[], byte[]> requests(String group) {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("group.id", group);
        settings.put("group.protocol", "consumer");
        settings.put("enable.auto.commit", false);
        settings.put("auto.offset.reset", "earliest");
        settings.put("isolation.level", "read_committed");
        settings.put("allow.auto.create.topics", false);
        settings.put("max.poll.interval.ms", Math.toIntExact(MAX_POLL_INTERVAL.toMillis()));
        settings.put("max.poll.records", 1);
        return new KafkaConsumer<>(
                settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /// Writes results; a retry of the client never writes one twice.
    Producer<byte[], byte[]> results() {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("enable.idempotence", true);
        settings.put("acks", "all");
        settings.put("delivery.timeout.ms", Math.toIntExact(DELIVERY_TIMEOUT.toMillis()));
        settings.put("request.timeout.ms", Math.toIntExact(REQUEST_TIMEOUT.toMillis()));
        settings.put("max.block.ms", DELIVERY_TIMEOUT.toMillis());
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /// Asks about topics and features.
    Admin admin() {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("request.timeout.ms", Math.toIntExact(REQUEST_TIMEOUT.toMillis()));
        settings.put("default.api.timeout.ms", Math.toIntExact(DELIVERY_TIMEOUT.toMillis()));
        return Admin.create(settings);
    }
}
