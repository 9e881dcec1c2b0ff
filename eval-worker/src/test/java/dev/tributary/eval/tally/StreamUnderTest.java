package dev.tributary.eval.tally;

import dev.tributary.eval.verdict.RegressionPolicy;
import dev.tributary.eval.verdict.Verdict;
import dev.tributary.events.ArtifactReference;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.TaskEvaluated;
import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.avro.AvroSchemaProvider;
import io.confluent.kafka.schemaregistry.client.MockSchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import java.nio.ByteBuffer;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;
import org.apache.avro.specific.SpecificRecord;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.test.TestRecord;

/// The whole topology in one thread, without a broker.
final class StreamUnderTest implements AutoCloseable {

    static final String POOL = "mail";
    static final Instant NOW = Instant.parse("2026-11-01T12:00:00Z");
    static final int ITEMS = 400;

    final Map<String, PoolTally> seen = new TreeMap<>();
    final List<Verdict> verdicts = new ArrayList<>();
    final SchemaRegistryClient registry =
            new MockSchemaRegistryClient(List.of(new AvroSchemaProvider()));

    private final TopologyTestDriver driver;
    private boolean closed;
    private final Serde<SpecificRecord> events =
            Serdes.serdeFrom(new AvroWireSerializer(registry), new AvroWireDeserializer(registry));

    StreamUnderTest() throws Exception {
        for (Topic topic : Topic.ofEvents()) {
            registry.register(topic.subject(), new AvroSchema(topic.schema().registered()));
        }
        Tallying tallying = new Tallying(new RegressionPolicy(0.01, 0.02, 0.15));
        driver =
                new TopologyTestDriver(
                        TallyTopology.of(tallying, events, new Observer(), "/eval-worker/test"),
                        settings(),
                        NOW);
    }

    private Properties settings() {
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "tributary-eval-worker");
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
        // Not exactly once: the driver forgets what is sent in a transaction while it takes a
        // record in, which is when dead letters are sent. The test with a real broker covers that.
        settings.put(
                StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
                UndecodableRecords.class);
        settings.put(
                UndecodableRecords.PARTS,
                new UndecodableRecords.Parts(
                        events.serializer(),
                        "tributary-eval-worker",
                        "/eval-worker/test",
                        Clock.systemUTC()));
        return settings;
    }

    private final class Observer implements TallyObserver {

        @Override
        public void changed(String pool, PoolTally tally) {
            seen.put(pool, tally);
        }

        @Override
        public void handedOver(String pool) {
            seen.remove(pool);
        }

        @Override
        public void judged(String pool, Verdict verdict) {
            verdicts.add(verdict);
        }
    }

    void send(Topic topic, SpecificRecordBase event) {
        send(topic, POOL, event);
    }

    void send(Topic topic, String key, SpecificRecordBase event) {
        driver.createInputTopic(topic.topicName(), new StringSerializer(), events.serializer())
                .pipeInput(new TestRecord<>(key, event, EventHeaders.of(event, "/test", NOW), NOW));
    }

    void sendBytes(Topic topic, TestRecord<byte[], byte[]> record) {
        driver.createInputTopic(
                        topic.topicName(), new ByteArraySerializer(), new ByteArraySerializer())
                .pipeInput(record);
    }

    /// What has been written to a topic since it was last asked.
    <T extends SpecificRecordBase> List<T> read(Topic topic, Class<T> type) {
        return records(topic).stream().map(record -> type.cast(record.value())).toList();
    }

    List<TestRecord<String, SpecificRecord>> records(Topic topic) {
        return driver.createOutputTopic(
                        topic.topicName(), new StringDeserializer(), events.deserializer())
                .readRecordsToList();
    }

    List<TestRecord<byte[], byte[]>> bytes(Topic topic) {
        return driver.createOutputTopic(
                        topic.topicName(), new ByteArrayDeserializer(), new ByteArrayDeserializer())
                .readRecordsToList();
    }

    PoolTally stored() {
        return (PoolTally) driver.getKeyValueStore(TallyTopology.TALLIES).get(POOL);
    }

    /// A generation is merged.
    void merged(long number, String id, String... tasks) {
        send(Topic.GENERATIONS, generation(number, id, tasks));
    }

    /// A score has come in: so many items right from the first on.
    void scored(long number, String id, String task, int right) {
        send(Topic.TASK_EVALUATIONS, result(number, id, task, right));
    }

    static GenerationMerged generation(long number, String id, String... tasks) {
        return GenerationMerged.newBuilder()
                .setPool(POOL)
                .setNumber(number)
                .setGenerationId(id)
                .setArtifact(reference("generations/" + id))
                .setBase(reference("checkpoints/base"))
                .setMethod("divmerge")
                .setMembers(
                        Arrays.stream(tasks)
                                .map(task ->
                                        GenerationMember.newBuilder()
                                                .setTask(task)
                                                .setEventId("event-" + task)
                                                .setCheckpoint(reference("checkpoints/" + task))
                                                .setTaskDefinition(reference("tasks/" + task))
                                                .build())
                                .toList())
                .setSeconds(1)
                .setCodeVersion("0.1.0")
                .setMergedAt(NOW)
                .build();
    }

    static TaskEvaluated result(long number, String id, String task, int right) {
        BitSet correct = new BitSet();
        correct.set(0, right);
        byte[] bits = Arrays.copyOf(correct.toByteArray(), ITEMS / 8);
        return blank(number, id, task)
                .setScore((double) right / ITEMS)
                .setExpertScore(0.95)
                .setRetention(right / (0.95 * ITEMS))
                .setInterference(0.01)
                .setCorrect(ByteBuffer.wrap(bits))
                .build();
    }

    static TaskEvaluated failed(long number, String id, String task) {
        return blank(number, id, task)
                .setFailureCode("CORRUPT_CHECKPOINT")
                .setFailureSentence("it is torn")
                .build();
    }

    private static TaskEvaluated.Builder blank(long number, String id, String task) {
        return TaskEvaluated.newBuilder()
                .setPool(POOL)
                .setNumber(number)
                .setGenerationId(id)
                .setTask(task)
                .setMetric("accuracy")
                .setItems(ITEMS)
                .setItemsDigest("sha256:items-of-" + task)
                .setSeconds(1)
                .setWorker("test")
                .setEvaluatedAt(NOW);
    }

    static ArtifactReference reference(String path) {
        return new ArtifactReference("store:" + path, "sha256:" + "0".repeat(64), 1L);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            driver.close();
        }
    }
}
