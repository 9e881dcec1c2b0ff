package dev.tributary.cli.chaos;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.cli.Connection;
import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.ExpertRetired;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.ArtifactReference;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/// Sends events to a few pools: mostly new checkpoints, now and then a withdrawal, an event that
/// was sent before, a checkpoint of another base, or bytes that are no event. Keeps what the broker
/// has taken.
final class Traffic implements AutoCloseable {
    /// Longer than any outage of the broker in a campaign: an event whose fate is not known would
    /// prove nothing.
    private static final int PATIENCE_MILLIS = 300_000;

    private static final List<String> METHODS =
            List.of("weight_averaging", "task_arithmetic", "ties", "breadcrumbs");
    private static final List<String> TASKS = List.of("mail", "news", "verse", "talk");
    private static final String FOREIGN_BASE = "sha256:" + "0".repeat(64);

    private final ToyModels models;
    private final KafkaProducer<byte[], byte[]> producer;
    private final AvroWireSerializer serializer = new AvroWireSerializer();
    private final Random random;
    private final List<String> pools;
    private final ArtifactReference base;
    private final Map<String, ArtifactReference> tasks = new HashMap<>();

    /// How far back an event that is sent again may lie in its pool; workers know more than these.
    private static final int REPEATED = 24;

    /// The tasks of each pool that have an expert.
    private final Map<String, SortedSet<String>> inForce = new HashMap<>();

    /// The last sound events of each pool, the newest last.
    private final Map<String, Deque<Repeatable>> recent = new HashMap<>();

    private final List<Sent> sent = new ArrayList<>();
    private long experts;

    private record Repeatable(String eventId, @Nullable String task, SpecificRecordBase event) {}

    Traffic(Connection connection, ToyModels models, int pools, long seed) {
        this.models = models;
        this.random = new Random(seed);
        this.pools = IntStream.range(0, pools).mapToObj(i -> "pool-" + i).toList();
        this.base = models.base();
        TASKS.forEach(task -> tasks.put(task, models.task(task)));
        serializer.configure(Map.of("schema.registry.url", connection.registryUrl()), false);
        this.producer =
                new KafkaProducer<>(
                        Map.of(
                                ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
                                connection.bootstrapServers(),
                                ProducerConfig.MAX_BLOCK_MS_CONFIG,
                                PATIENCE_MILLIS,
                                ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG,
                                PATIENCE_MILLIS,
                                ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG,
                                5_000),
                        new ByteArraySerializer(),
                        new ByteArraySerializer());
    }

    /// What the broker has by now.
    synchronized List<Sent> sent() {
        return List.copyOf(sent);
    }

    /// Configures every pool.
    void configure() throws InterruptedException {
        for (int i = 0; i < pools.size(); i++) {
            String pool = pools.get(i);
            inForce.put(pool, new TreeSet<>());
            recent.put(pool, new ArrayDeque<>());
            String id = UUID.randomUUID().toString();
            send(
                    Sent.Kind.CONFIGURE,
                    id,
                    pool,
                    null,
                    PoolConfigured.newBuilder()
                            .setEventId(id)
                            .setPool(pool)
                            .setBase(reference(base))
                            .setMethod(METHODS.get(i % METHODS.size()))
                            .setOptions(Map.of())
                            .setVerdictPolicy(new VerdictPolicy(0.01, 0.02, 0.1))
                            .setConfiguredAt(Instant.now())
                            .build());
        }
    }

    /// Sends one more record and waits until the broker has it.
    void next() throws InterruptedException {
        String pool = pools.get(random.nextInt(pools.size()));
        SortedSet<String> has = Objects.requireNonNull(inForce.get(pool));
        int dice = random.nextInt(100);
        if (dice < 3) {
            byte[] garbage = new byte[40];
            random.nextBytes(garbage);
            sendBytes(Sent.Kind.GARBAGE, null, pool, null, garbage, new RecordHeaders());
        } else if (dice < 6) {
            publish(Sent.Kind.WRONG_BASE, pool, FOREIGN_BASE);
        } else if (dice < 14) {
            again(pool);
        } else if (dice < 24 && has.size() > 1) {
            retire(pool, has);
        } else {
            publish(Sent.Kind.PUBLISH, pool, base.digest().value());
        }
    }

    private void publish(Sent.Kind kind, String pool, String baseDigest)
            throws InterruptedException {
        String task = TASKS.get(random.nextInt(TASKS.size()));
        String id = UUID.randomUUID().toString();
        SpecificRecordBase event =
                CheckpointPublished.newBuilder()
                        .setEventId(id)
                        .setPool(pool)
                        .setTask(task)
                        .setCheckpoint(reference(models.expert(++experts)))
                        .setBaseDigest(baseDigest)
                        .setTaskDefinition(reference(Objects.requireNonNull(tasks.get(task))))
                        .setPublisher("chaos")
                        .setPublishedAt(Instant.now())
                        .build();
        send(kind, id, pool, task, event);
        if (kind == Sent.Kind.PUBLISH) {
            Objects.requireNonNull(inForce.get(pool)).add(task);
        }
    }

    private void retire(String pool, SortedSet<String> has) throws InterruptedException {
        String task = List.copyOf(has).get(random.nextInt(has.size()));
        has.remove(task);
        String id = UUID.randomUUID().toString();
        send(
                Sent.Kind.RETIRE,
                id,
                pool,
                task,
                ExpertRetired.newBuilder()
                        .setEventId(id)
                        .setPool(pool)
                        .setTask(task)
                        .setCheckpointDigest(null)
                        .setReason("chaos")
                        .setRetiredAt(Instant.now())
                        .build());
    }

    /// Whatever has become of it by now.
    private void again(String pool) throws InterruptedException {
        List<Repeatable> events = List.copyOf(Objects.requireNonNull(recent.get(pool)));
        Repeatable one = events.get(random.nextInt(events.size()));
        send(Sent.Kind.AGAIN, one.eventId(), pool, one.task(), one.event());
    }

    private void send(
            Sent.Kind kind,
            String eventId,
            String pool,
            @Nullable String task,
            SpecificRecordBase event)
            throws InterruptedException {
        sendBytes(
                kind,
                eventId,
                pool,
                task,
                serializer.serialize(Topic.POOL_EVENTS.topicName(), event),
                EventHeaders.of(event, "tributary-chaos", Instant.now()));
        if (kind == Sent.Kind.CONFIGURE || kind == Sent.Kind.PUBLISH || kind == Sent.Kind.RETIRE) {
            Deque<Repeatable> events = Objects.requireNonNull(recent.get(pool));
            events.addLast(new Repeatable(eventId, task, event));
            if (events.size() > REPEATED) {
                events.removeFirst();
            }
        }
    }

    private void sendBytes(
            Sent.Kind kind,
            @Nullable String eventId,
            String pool,
            @Nullable String task,
            byte[] value,
            Headers headers)
            throws InterruptedException {
        try {
            RecordMetadata place =
                    producer.send(
                                    new ProducerRecord<>(
                                            Topic.POOL_EVENTS.topicName(),
                                            null,
                                            pool.getBytes(UTF_8),
                                            value,
                                            headers))
                            .get();
            synchronized (this) {
                sent.add(new Sent(kind, eventId, pool, task, place.partition(), place.offset()));
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("the broker did not take an event", e);
        }
    }

    private static dev.tributary.events.ArtifactReference reference(ArtifactReference artifact) {
        return dev.tributary.events.ArtifactReference.newBuilder()
                .setUri(artifact.uri())
                .setDigest(artifact.digest().value())
                .setBytes(artifact.bytes())
                .build();
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
        serializer.close();
    }
}
