package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.stack.LocalStack;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(RealStack.class)
class WireFormatIT {

    private final LocalStack stack;

    WireFormatIT(LocalStack stack) {
        this.stack = stack;
    }

    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = ".*_DLQ")
    void whatIsWrittenToATopicIsReadFromIt(Topic topic) {
        List<SpecificRecordBase> events = samplesOf(topic);
        long before = end(topic);

        send(topic, events);

        AvroWireDeserializer deserializer = new AvroWireDeserializer();
        deserializer.configure(stack.clientSettings(), false);
        assertThat(read(topic, before, events.size(), deserializer))
                .extracting(ConsumerRecord::value)
                .containsExactlyElementsOf(events);
    }

    /// Somebody else's program: Confluent's client, Avro's generic reader, none of our classes.
    @ParameterizedTest
    @EnumSource(mode = Mode.MATCH_NONE, names = ".*_DLQ")
    void aProgramThatKnowsOnlyTheRegistryReadsEveryTopic(Topic topic) throws Exception {
        List<SpecificRecordBase> events = samplesOf(topic);
        long before = end(topic);
        send(topic, events);

        List<String> names = new ArrayList<>();
        try (SchemaRegistryClient registry = registry()) {
            for (ConsumerRecord<String, byte[]> received :
                    read(topic, before, events.size(), new ByteArrayDeserializer())) {
                GenericRecord decoded = decodeGenerically(registry, received.value());
                names.add(decoded.getSchema().getName());
            }
        }

        assertThat(names)
                .containsExactlyElementsOf(
                        events.stream().map(event -> event.getSchema().getName()).toList());
    }

    @ParameterizedTest
    @MethodSource("samples")
    void theBytesAreAZeroTheSchemaIdAndTheAvroEncoding(SpecificRecordBase event) throws Exception {
        Topic topic = topicOf(event);
        Schema schema = topic.schema().registered();
        ByteArrayOutputStream expected = new ByteArrayOutputStream();
        expected.write(0);
        try (SchemaRegistryClient registry = registry()) {
            int id = registry.getId(topic.subject(), new AvroSchema(schema));
            expected.writeBytes(ByteBuffer.allocate(4).putInt(id).array());
        }
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(expected, null);
        if (schema.isUnion()) {
            encoder.writeIndex(schema.getIndexNamed(event.getSchema().getFullName()));
        }
        new SpecificDatumWriter<>(event.getSchema()).write(event, encoder);

        try (AvroWireSerializer serializer = serializer()) {
            assertThat(serializer.serialize(topic.topicName(), event))
                    .isEqualTo(expected.toByteArray());
        }
    }

    @Test
    void aTombstoneStaysATombstone() {
        try (AvroWireSerde serde = new AvroWireSerde()) {
            serde.configure(stack.clientSettings(), false);
            String topic = Topic.POOL_STATES.topicName();

            assertThat(serde.serializer().serialize(topic, null)).isNull();
            assertThat(serde.deserializer().deserialize(topic, (byte[]) null)).isNull();
        }
    }

    /// Under Quarkus the class loader of a thread and that of the events differ.
    @Test
    void eventsAreOfOurClassesWhateverClassLoaderTheThreadHas() {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (AvroWireSerializer serializer = serializer();
                AvroWireDeserializer deserializer = new AvroWireDeserializer(registry())) {
            String topic = Topic.POOL_EVENTS.topicName();
            byte[] bytes = serializer.serialize(topic, EventSamples.configured());

            thread.setContextClassLoader(ClassLoader.getPlatformClassLoader());

            assertThat(deserializer.deserialize(topic, bytes)).isEqualTo(EventSamples.configured());
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    @Test
    void anEventIsNotWrittenToATopicThatDoesNotCarryIt() {
        try (AvroWireSerializer serializer = serializer()) {
            assertThatThrownBy(() ->
                            serializer.serialize("tributary.promotions", EventSamples.configured()))
                    .isInstanceOf(SerializationException.class)
                    .hasMessage(
                            "[tributary.promotions] does not carry PoolConfigured, expected one of GenerationPromoted");
        }
    }

    private static List<SpecificRecordBase> samples() {
        return EventSamples.ofPool(3, 4);
    }

    private static List<SpecificRecordBase> samplesOf(Topic topic) {
        return samples().stream().filter(event -> topicOf(event) == topic).toList();
    }

    private static Topic topicOf(SpecificRecord event) {
        return Topic.ofEvents().stream()
                .filter(topic -> topic.recordTypes().contains(event.getClass()))
                .findFirst()
                .orElseThrow();
    }

    private SchemaRegistryClient registry() {
        return RegistryConnection.open(stack.clientSettings());
    }

    private AvroWireSerializer serializer() {
        return new AvroWireSerializer(registry());
    }

    private void send(Topic topic, List<SpecificRecordBase> events) {
        Map<String, Object> settings = new HashMap<>(stack.clientSettings());
        settings.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
        settings.put("value.serializer", AvroWireSerializer.class.getName());
        try (KafkaProducer<String, SpecificRecord> producer = new KafkaProducer<>(settings)) {
            for (SpecificRecordBase event : events) {
                var _ =
                        producer.send(
                                new ProducerRecord<>(
                                        topic.topicName(),
                                        0,
                                        EventSamples.TIME.toEpochMilli(),
                                        EventSamples.POOL,
                                        event,
                                        EventHeaders.of(event, "/test", EventSamples.TIME)));
            }
        }
    }

    private long end(Topic topic) {
        TopicPartition partition = new TopicPartition(topic.topicName(), 0);
        try (KafkaConsumer<String, byte[]> consumer = consumer(new ByteArrayDeserializer())) {
            return consumer.endOffsets(List.of(partition)).values().iterator().next();
        }
    }

    private <V> List<ConsumerRecord<String, V>> read(
            Topic topic, long from, int count, Deserializer<V> values) {
        TopicPartition partition = new TopicPartition(topic.topicName(), 0);
        List<ConsumerRecord<String, V>> records = new ArrayList<>();
        try (KafkaConsumer<String, V> consumer = consumer(values)) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, from);
            long end = System.nanoTime() + Duration.ofMinutes(1).toNanos();
            while (records.size() < count && System.nanoTime() < end) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
        }
        assertThat(records)
                .allSatisfy(it -> assertThat(it.headers().lastHeader("ce_id")).isNotNull());
        return records;
    }

    private <V> KafkaConsumer<String, V> consumer(Deserializer<V> values) {
        return new KafkaConsumer<>(
                Map.of("bootstrap.servers", stack.bootstrapServers()),
                new StringDeserializer(),
                values);
    }

    private static GenericRecord decodeGenerically(SchemaRegistryClient registry, byte[] bytes)
            throws Exception {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        assertThat(buffer.get()).isZero();
        Schema schema = (Schema) registry.getSchemaById(buffer.getInt()).rawSchema();
        assertThat(schema.toString()).doesNotContain("java");
        return new GenericDatumReader<GenericRecord>(schema)
                .read(
                        null,
                        DecoderFactory.get()
                                .binaryDecoder(bytes, buffer.position(), buffer.remaining(), null));
    }
}
