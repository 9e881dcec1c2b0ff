package dev.tributary.schemas;

import io.confluent.kafka.schemaregistry.ParsedSchema;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions.TimestampMillisConversion;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.serialization.Deserializer;
import org.jspecify.annotations.Nullable;

/// Reads an event in Confluent's wire format, whichever version of the schema it was written with,
/// into the generated class of today.
///
/// Bytes that can never be read end in an [UndecodableRecordException]; a registry that does not
/// answer ends in a [RegistryUnavailableException], after which the same record can be tried again.
/// Memory is bounded by the size of the record whatever its bytes claim.
public final class AvroWireDeserializer implements Deserializer<SpecificRecord> {

    private static final String SPECIFIC = "specific.avro.reader";
    private static final int NOT_FOUND = 404;

    /// Looks generated classes up where this class came from, not in the thread's class loader:
    /// with Quarkus the two differ, and an event of the one is no event of the other.
    private final SpecificData model = new SpecificData(getClass().getClassLoader());

    private final Map<Reading, DatumReader<SpecificRecord>> readers = new ConcurrentHashMap<>();
    private @Nullable SchemaRegistryClient registry;

    private record Reading(Topic topic, int schemaId) {}

    /// For Kafka, which calls [#configure] before anything else.
    public AvroWireDeserializer() {
        model.addLogicalTypeConversion(new TimestampMillisConversion());
    }

    /// Ready for use without a call of [#configure]; closes the client when it is closed.
    public AvroWireDeserializer(SchemaRegistryClient registry) {
        this();
        this.registry = registry;
    }

    @Override
    public void configure(Map<String, ?> configuration, boolean isKey) {
        if (isKey) {
            throw new ConfigException(
                    "[key.deserializer] is AvroWireDeserializer, expected a deserializer of strings: keys are plain UTF-8");
        }
        Object specific = configuration.get(SPECIFIC);
        if (specific != null && !Boolean.parseBoolean(specific.toString())) {
            throw new ConfigException(
                    "[%s] is %s, expected true: this deserializer reads into generated classes"
                            .formatted(SPECIFIC, specific));
        }
        registry = RegistryConnection.open(configuration);
    }

    @Override
    @SuppressWarnings("NullAway") // Kafka's contract: null stands for a tombstone.
    public SpecificRecord deserialize(String topic, byte @Nullable [] bytes) {
        if (bytes == null) {
            return null;
        }
        Topic known =
                Topic.named(topic)
                        .filter(candidate -> !candidate.recordTypes().isEmpty())
                        .orElseThrow(() -> undecodable(topic, "is not a topic of events", null));
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        int schemaId = readHeader(topic, buffer);
        Schema writer = writerSchema(topic, schemaId);
        try {
            EncodedLengths.check(writer, buffer.slice());
            DatumReader<SpecificRecord> reader =
                    readers.computeIfAbsent(
                            new Reading(known, schemaId),
                            _ ->
                                    new SpecificDatumReader<>(
                                            writer, known.schema().generated(), model));
            return reader.read(
                    null,
                    DecoderFactory.get()
                            .binaryDecoder(bytes, buffer.position(), buffer.remaining(), null));
        } catch (IOException | RuntimeException e) {
            throw undecodable(
                    topic,
                    "holds a record that does not fit schema %d: %s"
                            .formatted(schemaId, e.getMessage()),
                    e);
        }
    }

    private static int readHeader(String topic, ByteBuffer buffer) {
        if (buffer.remaining() < AvroWireSerializer.HEADER_BYTES) {
            throw undecodable(
                    topic,
                    "holds a record of %d bytes, expected a zero byte, a schema id of four and Avro"
                            .formatted(buffer.remaining()),
                    null);
        }
        byte magic = buffer.get();
        if (magic != AvroWireSerializer.MAGIC) {
            throw undecodable(
                    topic,
                    "holds a record that begins with byte %d, expected 0: written without the registry's serializer?"
                            .formatted(magic),
                    null);
        }
        return buffer.getInt();
    }

    private Schema writerSchema(String topic, int schemaId) {
        if (registry == null) {
            throw new IllegalStateException(
                    "[%s] the deserializer was not configured".formatted(topic));
        }
        try {
            ParsedSchema schema = registry.getSchemaBySubjectAndId(topic + "-value", schemaId);
            if (schema instanceof AvroSchema avro) {
                return avro.rawSchema();
            }
            throw undecodable(
                    topic,
                    "holds a record of a %s schema, expected Avro".formatted(schema.schemaType()),
                    null);
        } catch (RestClientException e) {
            if (e.getStatus() == NOT_FOUND) {
                throw new UndecodableRecordException(
                        UndecodableRecordException.UNKNOWN_SCHEMA,
                        "[%s] the record was written with schema %d, which the registry does not hold: written against another registry?"
                                .formatted(topic, schemaId),
                        e);
            }
            throw unavailable(schemaId, e);
        } catch (IOException e) {
            throw unavailable(schemaId, e);
        }
    }

    private static RegistryUnavailableException unavailable(int schemaId, Exception cause) {
        return new RegistryUnavailableException(
                "[schema %d] the registry could not be asked for it: %s"
                        .formatted(schemaId, cause.getMessage()),
                cause);
    }

    private static UndecodableRecordException undecodable(
            String topic, String what, @Nullable Throwable cause) {
        return new UndecodableRecordException(
                UndecodableRecordException.UNDECODABLE_RECORD,
                "[%s] %s".formatted(topic, what),
                cause);
    }

    @Override
    public void close() {
        RegistryConnection.close(registry);
    }
}
