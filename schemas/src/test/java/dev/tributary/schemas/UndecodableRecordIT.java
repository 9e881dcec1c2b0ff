package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.events.RegressionAlert;
import dev.tributary.stack.FreePorts;
import dev.tributary.stack.LocalStack;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificRecordBase;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(RealStack.class)
class UndecodableRecordIT {

    private static final String TOPIC = Topic.POOL_EVENTS.topicName();

    private final LocalStack stack;
    private final AvroWireSerde serde = new AvroWireSerde();

    UndecodableRecordIT(LocalStack stack) {
        this.stack = stack;
        serde.configure(stack.clientSettings(), false);
    }

    @AfterEach
    void close() {
        serde.close();
    }

    @Test
    void bytesWithoutTheZeroInFrontAreNoRecord() {
        assertRefused("{\"pool\":1}".getBytes(java.nio.charset.StandardCharsets.UTF_8))
                .hasMessageContaining("begins with byte 123, expected 0");
    }

    @Test
    void fourBytesAreNoRecord() {
        assertRefused(new byte[4]).hasMessageContaining("a record of 4 bytes");
    }

    @Test
    void aSchemaTheRegistryDoesNotHoldIsSaidToBeUnknown() {
        byte[] bytes = ByteBuffer.allocate(9).put((byte) 0).putInt(987_654).array();

        assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, bytes))
                .isInstanceOfSatisfying(
                        UndecodableRecordException.class,
                        e -> assertThat(e.code()).isEqualTo("UNKNOWN_SCHEMA"))
                .hasMessageContaining("schema 987654");
    }

    @Test
    void aRecordCutShortIsRefused() {
        byte[] whole = encoded(EventSamples.checkpointPublished());

        for (int length = 5; length < whole.length; length++) {
            assertRefused(Arrays.copyOf(whole, length));
        }
    }

    @Test
    void bytesAfterTheRecordAreRefused() {
        byte[] whole = encoded(EventSamples.checkpointPublished());

        assertRefused(Arrays.copyOf(whole, whole.length + 3))
                .hasMessageContaining("3 bytes follow after its end");
    }

    @Test
    void anEventOfAnotherTopicIsRefused() throws Exception {
        byte[] bytes = encoded(EventSamples.checkpointPublished());
        int id;
        try (SchemaRegistryClient registry = RegistryConnection.open(stack.clientSettings())) {
            id =
                    registry.getId(
                            Topic.ALERTS.subject(),
                            new AvroSchema(Topic.ALERTS.schema().registered()));
        }
        ByteBuffer.wrap(bytes).putInt(1, id);

        assertRefused(bytes);
    }

    /// Every kind of event, with bits flipped, bytes cut, and lengths made huge: either it is still
    /// an event or it is refused, and it never takes more memory than a record may.
    @Test
    void damagedRecordsAreReadOrRefusedAndNothingElse() {
        SplittableRandom random = new SplittableRandom(20_261_101);
        List<byte[]> originals =
                List.of(
                        encoded(EventSamples.configured()),
                        encoded(EventSamples.checkpointPublished()),
                        encoded(EventSamples.expertRetired()));
        int refused = 0;
        for (int i = 0; i < 20_000; i++) {
            byte[] damaged = damage(originals.get(i % originals.size()).clone(), random);
            try {
                assertThat(serde.deserializer().deserialize(TOPIC, damaged)).isNotNull();
            } catch (UndecodableRecordException e) {
                assertThat(e.code()).isEqualTo("UNDECODABLE_RECORD");
                refused++;
            }
        }
        assertThat(refused).isBetween(1_000, 19_999);
    }

    @Test
    void anEventOfALaterReleaseIsReadByThisOne() throws Exception {
        Schema later =
                SchemaRegistrarIT.withField(
                        RegressionAlert.getClassSchema(), "severity", "unknown");
        RegressionAlert sample =
                (RegressionAlert)
                        EventSamples.ofPool(1, 1).stream()
                                .filter(RegressionAlert.class::isInstance)
                                .findFirst()
                                .orElseThrow();
        int id;
        try (SchemaRegistryClient registry = RegistryConnection.open(stack.clientSettings())) {
            id = registry.register(Topic.ALERTS.subject(), new AvroSchema(later));
        }

        byte[] bytes = encodedGenerically(id, asLater(sample, later));

        assertThat(serde.deserializer().deserialize(Topic.ALERTS.topicName(), bytes))
                .isEqualTo(sample);
    }

    @Test
    void aRegistryThatIsAwayIsNoFaultOfTheRecord() {
        byte[] bytes = encoded(EventSamples.configured());
        String nobody = "http://127.0.0.1:%d/apis/ccompat/v7".formatted(FreePorts.one());
        try (AvroWireSerde cutOff = new AvroWireSerde()) {
            cutOff.configure(Map.of("schema.registry.url", nobody), false);

            assertThatThrownBy(() -> cutOff.deserializer().deserialize(TOPIC, bytes))
                    .isInstanceOf(RegistryUnavailableException.class)
                    .isInstanceOf(org.apache.kafka.common.errors.RetriableException.class);
            assertThatThrownBy(
                            () -> cutOff.serializer().serialize(TOPIC, EventSamples.configured()))
                    .isInstanceOf(RegistryUnavailableException.class);
        }
    }

    private org.assertj.core.api.AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
            byte[] bytes) {
        return assertThatThrownBy(() -> serde.deserializer().deserialize(TOPIC, bytes))
                .isInstanceOfSatisfying(
                        UndecodableRecordException.class,
                        e -> assertThat(e.code()).isEqualTo("UNDECODABLE_RECORD"))
                .hasMessageStartingWith("[tributary.pool-events] ");
    }

    private byte[] encoded(SpecificRecordBase event) {
        return serde.serializer().serialize(TOPIC, event);
    }

    /// Changes a byte, cuts the end off or writes a huge length, always behind the schema id.
    private static byte[] damage(byte[] bytes, SplittableRandom random) {
        int at = random.nextInt(5, bytes.length);
        return switch (random.nextInt(3)) {
            case 0 -> {
                bytes[at] ^= (byte) (1 << random.nextInt(8));
                yield bytes;
            }
            case 1 -> Arrays.copyOf(bytes, at);
            default -> {
                Arrays.fill(bytes, at, Math.min(bytes.length, at + 4), (byte) 0xfe);
                yield bytes;
            }
        };
    }

    private static GenericRecord asLater(RegressionAlert sample, Schema later) {
        GenericRecordBuilder builder = new GenericRecordBuilder(later);
        for (Schema.Field field : sample.getSchema().getFields()) {
            Object value = sample.get(field.pos());
            builder.set(
                    field.name(),
                    switch (value) {
                        case java.time.Instant time -> time.toEpochMilli();
                        case Enum<?> symbol ->
                                new org.apache.avro.generic.GenericData.EnumSymbol(
                                        later.getField(field.name()).schema(), symbol);
                        case null, default -> value;
                    });
        }
        return builder.set("severity", "high").build();
    }

    private static byte[] encodedGenerically(int id, GenericRecord record) throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        bytes.write(0);
        bytes.writeBytes(ByteBuffer.allocate(4).putInt(id).array());
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        new GenericDatumWriter<GenericRecord>(record.getSchema()).write(record, encoder);
        return bytes.toByteArray();
    }
}
