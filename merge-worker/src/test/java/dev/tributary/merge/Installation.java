package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.ExpertRetired;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.RegistryConnection;
import dev.tributary.schemas.SchemaRegistrar;
import dev.tributary.schemas.Topic;
import dev.tributary.schemas.TopicCreator;
import dev.tributary.stack.LocalStack;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FolderArtifactStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// A broker, a registry and a store of their own, with what a publisher writes and a reader sees.
final class Installation implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration POLL = Duration.ofMillis(100);

    private final Path folder;
    private final LocalStack stack;
    private final FolderArtifactStore store;
    private final TinyModels models;
    private final Producer<byte[], byte[]> producer;
    private final AvroWireSerializer serializer;
    private final AvroWireDeserializer deserializer;
    private final Consumer<byte[], byte[]> reader;
    private final Admin admin;
    private final List<ConsumerRecord<byte[], byte[]>> seen = new ArrayList<>();

    Installation(Path folder) {
        this.folder = folder;
        this.stack = LocalStack.start(folder.resolve("stack"));
        this.store = FolderArtifactStore.open(folder.resolve("store"));
        this.models = new TinyModels(store);
        Map<String, Object> settings = stack.clientSettings();
        this.admin = Admin.create(settings);
        new TopicCreator(admin).create(List.of(Topic.values()));
        new SchemaRegistrar(RegistryConnection.open(settings)).register(Topic.ofEvents());
        this.serializer = new AvroWireSerializer(RegistryConnection.open(settings));
        this.deserializer = new AvroWireDeserializer(RegistryConnection.open(settings));
        this.producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        Map<String, Object> reading = new java.util.HashMap<>(settings);
        reading.put("isolation.level", "read_committed");
        reading.put("auto.offset.reset", "earliest");
        this.reader =
                new KafkaConsumer<>(
                        reading, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        reader.assign(
                ContractCheck.TOPICS.stream()
                        .filter(topic -> topic != Topic.POOL_EVENTS)
                        .flatMap(topic ->
                                IntStream.range(0, topic.partitions())
                                        .mapToObj(p -> new TopicPartition(topic.topicName(), p)))
                        .toList());
    }

    LocalStack stack() {
        return stack;
    }

    TinyModels models() {
        return models;
    }

    Path storeFolder() {
        return store.root();
    }

    /// A worker process of this installation.
    WorkerProcess worker(String name, String... settings) {
        return WorkerProcess.start(
                name,
                folder,
                List.of(
                        "-Dkafka.bootstrap.servers=" + stack.bootstrapServers(),
                        "-Dschema.registry.url=" + stack.registryUrl(),
                        "-Dtributary.store=" + store.root(),
                        "-Dtributary.cache=" + cacheFolder(name),
                        "-Dtributary.merge.probe-interval=500ms",
                        "-Dtributary.merge.retry-first-delay=200ms",
                        "-Dtributary.merge.retry-max-delay=1s"),
                List.of(settings));
    }

    /// Where a worker keeps what is its own.
    Path cacheFolder(String worker) {
        return folder.resolve("cache-" + worker);
    }

    // --- publishing

    void configure(String pool, String method, Map<String, String> options) {
        send(
                pool,
                new PoolConfigured(
                        "configure " + pool,
                        pool,
                        reference(models.base()),
                        method,
                        options,
                        new VerdictPolicy(0.01, 0.02, 0.3),
                        Instant.now()));
    }

    /// Publishes an expert whose event id is `<pool> <task> <seed>`.
    ArtifactReference publish(String pool, String task, long seed) {
        ArtifactReference expert = models.expert(seed);
        publish("%s %s %d".formatted(pool, task, seed), pool, task, expert);
        return expert;
    }

    void publish(String eventId, String pool, String task, ArtifactReference expert) {
        publish(
                eventId,
                pool,
                task,
                reference(expert),
                models.base().digest(),
                reference(models.task(task)));
    }

    void publish(
            String eventId,
            String pool,
            String task,
            dev.tributary.events.ArtifactReference expert,
            Digest base,
            dev.tributary.events.ArtifactReference definition) {
        send(
                pool,
                new CheckpointPublished(
                        eventId,
                        pool,
                        task,
                        expert,
                        base.value(),
                        definition,
                        null,
                        Instant.now()));
    }

    void retire(String pool, String task, @Nullable Digest checkpoint) {
        send(pool, retired(pool, task, checkpoint));
    }

    /// Retires an expert as a publisher does that does not know what the key is for.
    void retireUnderKey(String key, String pool, String task) {
        send(key, retired(pool, task, null));
    }

    private static ExpertRetired retired(String pool, String task, @Nullable Digest checkpoint) {
        return new ExpertRetired(
                "retire %s %s %s".formatted(pool, task, checkpoint),
                pool,
                task,
                checkpoint == null ? null : checkpoint.value(),
                "a test wants it gone",
                Instant.now());
    }

    private void send(String key, SpecificRecordBase event) {
        sendRaw(
                key,
                serializer.serialize(Topic.POOL_EVENTS.topicName(), event),
                EventHeaders.of(event, "/test", Instant.now()));
    }

    void sendRaw(String key, byte[] value, @Nullable Headers headers) {
        var _ =
                producer.send(
                        new ProducerRecord<>(
                                Topic.POOL_EVENTS.topicName(),
                                null,
                                key.getBytes(UTF_8),
                                value,
                                headers));
        producer.flush();
    }

    static dev.tributary.events.ArtifactReference reference(ArtifactReference reference) {
        return new dev.tributary.events.ArtifactReference(
                reference.uri(), reference.digest().value(), reference.bytes());
    }

    // --- reading

    /// The events of a type of a pool so far, in their order.
    <T> List<T> events(Topic topic, String pool, Class<T> type) {
        return records(topic, pool).stream()
                .map(record -> deserializer.deserialize(record.topic(), record.value()))
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    /// The records of a pool so far, in their order.
    List<ConsumerRecord<byte[], byte[]>> records(Topic topic, String pool) {
        reader.poll(POLL).forEach(seen::add);
        return seen.stream()
                .filter(record -> record.topic().equals(topic.topicName()))
                .filter(record -> pool.equals(new String(record.key(), UTF_8)))
                .toList();
    }

    /// Waits for this many events of a pool.
    <T> List<T> await(Topic topic, String pool, Class<T> type, int count) {
        await(
                () -> events(topic, pool, type).size() >= count,
                () ->
                        "%d %s of %s, found %s"
                                .formatted(count, type, pool, events(topic, pool, type)));
        return events(topic, pool, type);
    }

    /// Waits until no event of any pool is without an answer, as an autoscaler would see it.
    void awaitNoLag() {
        await(() -> lag() == 0, () -> "lag 0, found " + lag());
        reader.poll(POLL).forEach(seen::add);
    }

    /// What a consumer group's lag is, as anyone outside can measure it.
    long lag() {
        List<TopicPartition> partitions =
                IntStream.range(0, Topic.POOL_EVENTS.partitions())
                        .mapToObj(p -> new TopicPartition(Topic.POOL_EVENTS.topicName(), p))
                        .toList();
        try {
            Map<TopicPartition, OffsetAndMetadata> committed =
                    admin.listConsumerGroupOffsets(MergeWorker.GROUP)
                            .partitionsToOffsetAndMetadata()
                            .get();
            long lag = 0;
            for (TopicPartition partition : partitions) {
                long end =
                        admin.listOffsets(Map.of(partition, OffsetSpec.latest()))
                                .partitionResult(partition)
                                .get()
                                .offset();
                OffsetAndMetadata done = committed.get(partition);
                lag += end - (done == null ? 0 : done.offset());
            }
            return lag;
        } catch (java.util.concurrent.ExecutionException e) {
            return Long.MAX_VALUE;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /// Reads for this long.
    void readFor(Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (System.nanoTime() < end) {
            reader.poll(POLL).forEach(seen::add);
        }
    }

    /// Waits for a condition; reads meanwhile.
    void await(BooleanSupplier condition, Supplier<String> expected) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within %s: %s".formatted(PATIENCE, expected.get()));
            }
            reader.poll(POLL).forEach(seen::add);
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(1));
        reader.close();
        admin.close(Duration.ofSeconds(1));
        serializer.close();
        deserializer.close();
        store.close();
        stack.close();
    }
}
