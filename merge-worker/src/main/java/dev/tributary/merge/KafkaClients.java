package dev.tributary.merge;

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
    private static final Duration PROMPT = Duration.ofSeconds(5);
    private static final Duration DELIVERY_TIMEOUT = Duration.ofSeconds(25);
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(60);
    private static final int MAX_POLL_RECORDS = 100;
    private static final int PRODUCER_BUFFER_BYTES = 8 << 20;

    private final Map<String, String> connection;

    /// @param connection addresses and security, the same for every client
    KafkaClients(Map<String, String> connection) {
        this.connection = Map.copyOf(connection);
    }

    /// Reads the events of the pools as a member of the group. It is polled all the time, so the
    /// longest interval between polls can be short and a loop that hangs is found soon.
    Consumer<byte[], byte[]> events(String group) {
        return consumer(
                Map.of(
                        "group.id",
                        group,
                        "group.protocol",
                        "consumer",
                        "auto.offset.reset",
                        "earliest",
                        "max.poll.interval.ms",
                        millis(MAX_POLL_INTERVAL),
                        "max.poll.records",
                        Integer.toString(MAX_POLL_RECORDS)));
    }

    /// Reads a table from its beginning, outside of any group.
    Consumer<byte[], byte[]> table() {
        return consumer(Map.of("auto.offset.reset", "earliest"));
    }

    /// Reads what comes from now on, outside of any group, and waits for the broker only briefly.
    Consumer<byte[], byte[]> bystander() {
        return consumer(
                Map.of("auto.offset.reset", "latest", "default.api.timeout.ms", millis(PROMPT)));
    }

    /// Writes in transactions under an id that fences whoever had it before.
    Producer<byte[], byte[]> transactional(String transactionalId) {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("transactional.id", transactionalId);
        settings.put("transaction.timeout.ms", millis(TRANSACTION_TIMEOUT));
        settings.put("delivery.timeout.ms", millis(DELIVERY_TIMEOUT));
        settings.put("request.timeout.ms", millis(REQUEST_TIMEOUT));
        settings.put("max.block.ms", millis(DELIVERY_TIMEOUT));
        settings.put("buffer.memory", PRODUCER_BUFFER_BYTES);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /// Writes outside of transactions, at once or not at all: what is lost is not missed.
    Producer<byte[], byte[]> prompt() {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("linger.ms", "0");
        settings.put("delivery.timeout.ms", millis(REQUEST_TIMEOUT));
        settings.put("request.timeout.ms", millis(PROMPT));
        settings.put("max.block.ms", millis(PROMPT));
        settings.put("buffer.memory", PRODUCER_BUFFER_BYTES);
        return new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
    }

    /// Asks about topics, features and offsets.
    Admin admin() {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("request.timeout.ms", millis(REQUEST_TIMEOUT));
        settings.put("default.api.timeout.ms", millis(DELIVERY_TIMEOUT));
        return Admin.create(settings);
    }

    private Consumer<byte[], byte[]> consumer(Map<String, String> special) {
        Map<String, Object> settings = new HashMap<>(connection);
        settings.put("enable.auto.commit", false);
        settings.put("isolation.level", "read_committed");
        settings.put("allow.auto.create.topics", false);
        settings.putAll(special);
        return new KafkaConsumer<>(
                settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static String millis(Duration duration) {
        return Long.toString(duration.toMillis());
    }
}
