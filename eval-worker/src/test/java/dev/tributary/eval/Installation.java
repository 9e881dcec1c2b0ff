package dev.tributary.eval;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.eval.TinyModels.Made;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.RegistryConnection;
import dev.tributary.schemas.SchemaRegistrar;
import dev.tributary.schemas.Topic;
import dev.tributary.schemas.TopicCreator;
import dev.tributary.stack.FreePorts;
import dev.tributary.stack.LocalStack;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.FolderArtifactStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// A broker, a registry and a store of their own, with what the merge worker writes and a reader
/// sees. Broker and registry start on request, so that a worker can be there before them.
final class Installation implements AutoCloseable {

    static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final int ITEMS = 300;

    private final Path folder;
    private final List<Integer> ports = FreePorts.several(2);
    private final FolderArtifactStore store;
    private final TinyModels models;
    private final List<ConsumerRecord<byte[], byte[]>> seen = new ArrayList<>();
    private @Nullable LocalStack stack;
    private @Nullable Clients clients;

    Installation(Path folder) {
        this.folder = folder;
        this.store = FolderArtifactStore.open(folder.resolve("store"));
        this.models = new TinyModels(store);
    }

    /// What this test itself talks to broker and registry with.
    private record Clients(
            Admin admin,
            Producer<byte[], byte[]> producer,
            AvroWireSerializer serializer,
            AvroWireDeserializer deserializer,
            Consumer<byte[], byte[]> reader) {}

    /// Starts broker and registry, both empty.
    void startStack() {
        stack = LocalStack.start(folder.resolve("stack"), ports.getFirst(), ports.getLast());
    }

    /// Creates topics and registers schemas.
    void prepare() {
        Map<String, Object> settings = Objects.requireNonNull(stack).clientSettings();
        Admin admin = Admin.create(settings);
        new TopicCreator(admin).create(List.of(Topic.values()));
        new SchemaRegistrar(RegistryConnection.open(settings)).register(Topic.ofEvents());
        Map<String, Object> reading = new HashMap<>(settings);
        reading.put("isolation.level", "read_committed");
        reading.put("auto.offset.reset", "earliest");
        Consumer<byte[], byte[]> reader =
                new KafkaConsumer<>(
                        reading, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        reader.assign(
                ContractCheck.topics().stream()
                        .flatMap(topic ->
                                IntStream.range(0, topic.partitions())
                                        .mapToObj(p -> new TopicPartition(topic.topicName(), p)))
                        .toList());
        clients =
                new Clients(
                        admin,
                        new KafkaProducer<>(
                                settings, new ByteArraySerializer(), new ByteArraySerializer()),
                        new AvroWireSerializer(RegistryConnection.open(settings)),
                        new AvroWireDeserializer(RegistryConnection.open(settings)),
                        reader);
    }

    /// A worker process of this installation.
    WorkerProcess worker(String name, String... settings) {
        return WorkerProcess.start(
                name,
                folder,
                List.of(
                        "-Dkafka.bootstrap.servers=127.0.0.1:" + ports.getFirst(),
                        "-Dschema.registry.url=http://127.0.0.1:%d/apis/ccompat/v7"
                                .formatted(ports.getLast()),
                        "-Dtributary.store=" + store.root(),
                        "-Dtributary.cache=" + folder.resolve("cache-" + name),
                        "-Dtributary.threads=1",
                        "-Dtributary.eval.probe-interval=500ms",
                        "-Dtributary.eval.retry-first-delay=200ms",
                        "-Dtributary.eval.retry-max-delay=1s"),
                List.of(settings));
    }

    private Clients clients() {
        return Objects.requireNonNull(clients);
    }

    /// Merges: publishes the generation and its event. Each task's expert is the one of its seed.
    void merge(String pool, long number, SortedMap<String, Made> tasks) {
        String id = "%s-%d".formatted(pool, number);
        ArtifactReference generation =
                models.generation("generations/%s/%s".formatted(pool, id), tasks);
        List<GenerationMember> members = new ArrayList<>();
        tasks.forEach((task, made) ->
                members.add(
                        GenerationMember.newBuilder()
                                .setTask(task)
                                .setEventId("event of " + task)
                                .setCheckpoint(reference(models.expert(made.seed())))
                                .setTaskDefinition(reference(models.task(task, made.seed(), ITEMS)))
                                .build()));
        send(
                Topic.GENERATIONS,
                pool,
                GenerationMerged.newBuilder()
                        .setPool(pool)
                        .setNumber(number)
                        .setGenerationId(id)
                        .setArtifact(reference(generation))
                        .setBase(reference(models.expert(1)))
                        .setMethod("divmerge")
                        .setMembers(members)
                        .setSeconds(1)
                        .setCodeVersion("0.1.0")
                        .setMergedAt(Instant.now())
                        .build());
    }

    void send(Topic topic, String key, SpecificRecordBase event) {
        sendBytes(
                topic,
                key,
                clients().serializer().serialize(topic.topicName(), event),
                EventHeaders.of(event, "/test", Instant.now()));
    }

    void sendBytes(Topic topic, String key, byte[] value, @Nullable Headers headers) {
        var _ =
                clients()
                        .producer()
                        .send(
                                new ProducerRecord<>(
                                        topic.topicName(),
                                        null,
                                        key.getBytes(UTF_8),
                                        value,
                                        headers));
        clients().producer().flush();
    }

    private static dev.tributary.events.ArtifactReference reference(ArtifactReference reference) {
        return new dev.tributary.events.ArtifactReference(
                reference.uri(), reference.digest().value(), reference.bytes());
    }

    /// The events of a pool so far, in their order.
    <T> List<T> events(Topic topic, String pool, Class<T> type) {
        return records(topic, pool).stream()
                .map(record ->
                        clients().deserializer().deserialize(topic.topicName(), record.value()))
                .map(type::cast)
                .toList();
    }

    /// The events of all pools so far that can be read.
    <T> List<T> allEvents(Topic topic, Class<T> type) {
        clients().reader().poll(POLL).forEach(seen::add);
        return seen.stream()
                .filter(record -> record.topic().equals(topic.topicName()))
                .filter(record -> record.value().length > 20)
                .map(record ->
                        clients().deserializer().deserialize(topic.topicName(), record.value()))
                .map(type::cast)
                .toList();
    }

    /// The records under a key so far, in their order.
    List<ConsumerRecord<byte[], byte[]>> records(Topic topic, String key) {
        clients().reader().poll(POLL).forEach(seen::add);
        return seen.stream()
                .filter(record -> record.topic().equals(topic.topicName()))
                .filter(record ->
                        record.key() != null && key.equals(new String(record.key(), UTF_8)))
                .toList();
    }

    /// Waits for this many events of a pool.
    <T> List<T> await(Topic topic, String pool, Class<T> type, int count) {
        await(
                () -> records(topic, pool).size() >= count,
                () ->
                        "%d %s of %s, found %s"
                                .formatted(
                                        count,
                                        type.getSimpleName(),
                                        pool,
                                        events(topic, pool, type)));
        return events(topic, pool, type);
    }

    /// Waits for a condition; reads meanwhile.
    void await(BooleanSupplier condition, Supplier<String> expected) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within %s: %s".formatted(PATIENCE, expected.get()));
            }
            clients().reader().poll(POLL).forEach(seen::add);
        }
    }

    @Override
    public void close() {
        if (clients != null) {
            clients.producer().close(Duration.ofSeconds(1));
            clients.reader().close();
            clients.admin().close(Duration.ofSeconds(1));
            clients.serializer().close();
            clients.deserializer().close();
        }
        store.close();
        if (stack != null) {
            stack.close();
        }
    }
}
