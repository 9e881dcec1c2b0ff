package dev.tributary.schemas;

import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.Serializer;
import org.jspecify.annotations.Nullable;

/// Writes an event in Confluent's wire format: a zero byte, the id of the schema in the registry as
/// four bytes, big end first, and the Avro binary encoding.
///
/// The schema is that of the topic, also where it is a union of several records, and must have been
/// registered ([SchemaRegistrar]) unless `auto.register.schemas` is on. Safe for use by several
/// threads.
public final class AvroWireSerializer implements Serializer<SpecificRecord> {

    static final byte MAGIC = 0;
    static final int HEADER_BYTES = 1 + Integer.BYTES;
    static final String AUTO_REGISTER = "auto.register.schemas";

    private final Map<String, Integer> ids = new ConcurrentHashMap<>();
    private @Nullable SchemaRegistryClient registry;
    private boolean registers;

    /// For Kafka, which calls [#configure] before anything else.
    public AvroWireSerializer() {}

    /// Ready for use without a call of [#configure]; closes the client when it is closed.
    public AvroWireSerializer(SchemaRegistryClient registry) {
        this.registry = registry;
    }

    @Override
    public void configure(Map<String, ?> configuration, boolean isKey) {
        if (isKey) {
            throw new ConfigException(
                    "[key.serializer] is AvroWireSerializer, expected a serializer of strings: keys are plain UTF-8");
        }
        registry = RegistryConnection.open(configuration);
        Object autoRegister = configuration.get(AUTO_REGISTER);
        registers = autoRegister != null && Boolean.parseBoolean(autoRegister.toString());
    }

    @Override
    @SuppressWarnings("NullAway") // Kafka's contract: null stands for a tombstone.
    public byte[] serialize(String topic, @Nullable SpecificRecord event) {
        if (event == null) {
            return null;
        }
        Schema schema = schemaFor(topic, event);
        int id = ids.computeIfAbsent(topic, _ -> idOf(topic, schema));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        bytes.write(MAGIC);
        bytes.writeBytes(ByteBuffer.allocate(Integer.BYTES).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        try {
            new SpecificDatumWriter<SpecificRecord>(schema).write(event, encoder);
            encoder.flush();
        } catch (AvroRuntimeException | ClassCastException | NullPointerException e) {
            throw new SerializationException(
                    "[%s] %s cannot be written: %s"
                            .formatted(topic, event.getSchema().getName(), e.getMessage()),
                    e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }

    private static Schema schemaFor(String topic, SpecificRecord event) {
        Optional<Topic> known = Topic.named(topic);
        if (known.isEmpty() || !known.get().recordTypes().contains(event.getClass())) {
            throw new SerializationException(
                    "[%s] does not carry %s, expected %s"
                            .formatted(
                                    topic,
                                    event.getSchema().getName(),
                                    known.map(t -> "one of " + names(t))
                                            .orElse("a topic of the catalogue")));
        }
        return known.get().schema().registered();
    }

    private static String names(Topic topic) {
        return String.join(", ", topic.recordTypes().stream().map(Class::getSimpleName).toList());
    }

    private int idOf(String topic, Schema schema) {
        if (registry == null) {
            throw new IllegalStateException(
                    "[%s] the serializer was not configured".formatted(topic));
        }
        String subject = topic + "-value";
        try {
            AvroSchema avro = new AvroSchema(schema);
            return registers ? registry.register(subject, avro) : registry.getId(subject, avro);
        } catch (RestClientException e) {
            if (e.getStatus() == 404) {
                throw new SerializationException(
                        "[%s] the registry does not hold this schema, expected it to be registered: let SchemaRegistrar run first, or set %s=true"
                                .formatted(subject, AUTO_REGISTER),
                        e);
            }
            throw unavailable(subject, e);
        } catch (IOException e) {
            throw unavailable(subject, e);
        }
    }

    private static RegistryUnavailableException unavailable(String subject, Exception cause) {
        return new RegistryUnavailableException(
                "[%s] the registry could not be asked for the id of the schema: %s"
                        .formatted(subject, cause.getMessage()),
                cause);
    }

    @Override
    public void close() {
        RegistryConnection.close(registry);
    }
}
