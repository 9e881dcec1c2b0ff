package dev.tributary.cli.chaos;

import dev.tributary.cli.Connection;
import dev.tributary.cli.EventLog;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationMerged;
import dev.tributary.schemas.ConsumerGroup;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/// Watches while a campaign goes on, as everybody else could: reads committed events as they
/// appear, opens every artifact as soon as it can be seen under its name, and looks whether a
/// committed offset ever goes back. A look at the end would miss what was wrong for a moment.
final class Observer implements AutoCloseable {
    private static final List<Topic> TOPICS =
            List.of(
                    Topic.GENERATIONS,
                    Topic.DEAD_LETTERS,
                    Topic.EVALUATIONS,
                    Topic.PROMOTIONS,
                    Topic.ALERTS);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(20);
    private static final Duration BETWEEN_OFFSETS = Duration.ofMillis(500);

    private final Connection connection;
    private final FolderArtifactStore store;
    private final Findings findings = new Findings();
    private final List<Seen> seen = new ArrayList<>();
    private final Set<String> merged = ConcurrentHashMap.newKeySet();
    private final Set<String> judged = ConcurrentHashMap.newKeySet();
    private final Map<String, Digest> artifacts = new ConcurrentHashMap<>();
    private final Map<TopicPartition, Long> offsets = new ConcurrentHashMap<>();
    private final List<Thread> threads = new ArrayList<>();
    private volatile boolean stopped;
    private volatile @Nullable Throwable failure;
    private final AtomicLong looks = new AtomicLong();

    Observer(Connection connection, FolderArtifactStore store) {
        this.connection = connection;
        this.store = store;
        watch("events", this::readEvents);
        watch("store", this::lookAtStore);
        watch("offsets", this::followOffsets);
    }

    /// All committed events by now.
    List<Seen> seen() {
        synchronized (seen) {
            return List.copyOf(seen);
        }
    }

    /// What was wrong for a moment or more.
    Findings findings() {
        return findings;
    }

    /// How often an artifact was opened.
    long looks() {
        return looks.get();
    }

    /// How many records are not answered yet, by what is committed.
    long backlog(List<Sent> sent) {
        return sent.stream()
                .filter(one ->
                        offsets.getOrDefault(
                                        new TopicPartition(
                                                Topic.POOL_EVENTS.topicName(), one.partition()),
                                        0L)
                                <= one.offset())
                .count();
    }

    /// Generations without a verdict. Topics are read side by side: a verdict may be seen first.
    int unjudged() {
        return (int) merged.stream().filter(generation -> !judged.contains(generation)).count();
    }

    /// What ended the watching, if anything did: then the campaign proves nothing.
    Optional<Throwable> failure() {
        return Optional.ofNullable(failure);
    }

    private void watch(String name, Runnable work) {
        threads.add(
                Thread.ofPlatform()
                        .daemon()
                        .name("observer-" + name)
                        .uncaughtExceptionHandler((_, e) -> failure = e)
                        .start(work));
    }

    private void readEvents() {
        try (EventLog log = EventLog.open(connection)) {
            log.startFollowing(TOPICS, true);
            while (!stopped) {
                for (ConsumerRecord<String, SpecificRecord> record : log.poll(POLL)) {
                    take(record);
                }
            }
        }
    }

    private void take(ConsumerRecord<String, SpecificRecord> record) {
        Topic topic = Topic.named(record.topic()).orElseThrow();
        synchronized (seen) {
            seen.add(new Seen(topic, record.partition(), record.offset(), record.value()));
        }
        switch (record.value()) {
            case GenerationMerged generation -> {
                merged.add(generation.getPool() + " " + generation.getNumber());
                requireWhole(generation);
            }
            case GenerationEvaluated verdict ->
                    judged.add(verdict.getPool() + " " + verdict.getNumber());
            default -> {}
        }
    }

    private void requireWhole(GenerationMerged generation) {
        looks.incrementAndGet();
        try {
            store.verify(
                    new ArtifactReference(
                            generation.getArtifact().getUri(),
                            new Digest(generation.getArtifact().getDigest()),
                            generation.getArtifact().getBytes()));
        } catch (RefusedException e) {
            findings.add(
                    Findings.Kind.TORN,
                    "generation %d of %s was announced, but %s"
                            .formatted(
                                    generation.getNumber(), generation.getPool(), e.getMessage()));
        }
    }

    /// An artifact never changes: what it holds when it is first seen it holds ever after.
    private void lookAtStore() {
        Path generations = store.root().resolve("generations");
        while (!stopped) {
            for (String name : names(generations)) {
                if (stopped || artifacts.containsKey(name)) {
                    continue;
                }
                looks.incrementAndGet();
                Digest first = digest(generations.resolve(name));
                artifacts.put(name, first);
                Digest second = digest(generations.resolve(name));
                if (!first.equals(second)
                        || !Files.exists(generations.resolve(name).resolve("tributary.json"))) {
                    findings.add(
                            Findings.Kind.TORN,
                            "%s was seen before it was whole: %s, then %s"
                                    .formatted(name, first, second));
                }
            }
            pause(BETWEEN_LOOKS);
        }
    }

    /// Looks at every artifact once more.
    void lookAgain() {
        Path generations = store.root().resolve("generations");
        artifacts.forEach((name, first) -> {
            looks.incrementAndGet();
            Digest now = digest(generations.resolve(name));
            if (!now.equals(first)) {
                findings.add(
                        Findings.Kind.TORN,
                        "%s was %s at first and is %s".formatted(name, first, now));
            }
        });
    }

    private static Digest digest(Path folder) {
        return Digest.ofDirectory(folder);
    }

    private static List<String> names(Path folder) {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.map(entry -> entry.getFileName().toString()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void followOffsets() {
        try (Admin admin =
                Admin.create(
                        Map.of(
                                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                                connection.bootstrapServers()))) {
            while (!stopped) {
                readOffsets(admin);
                pause(BETWEEN_OFFSETS);
            }
        }
    }

    private void readOffsets(Admin admin) {
        try {
            Map<TopicPartition, Long> now = new HashMap<>();
            admin.listConsumerGroupOffsets(ConsumerGroup.MERGE_WORKERS.groupId())
                    .partitionsToOffsetAndMetadata()
                    .get(5, TimeUnit.SECONDS)
                    .forEach((partition, offset) -> {
                        if (offset != null) {
                            now.put(partition, offset.offset());
                        }
                    });
            now.forEach((partition, offset) -> {
                Long before = offsets.put(partition, offset);
                if (before != null && before > offset) {
                    findings.add(
                            Findings.Kind.STALE,
                            "the committed offset of %s went from %d back to %d"
                                    .formatted(partition, before, offset));
                }
            });
        } catch (ExecutionException | TimeoutException | KafkaException _) {
            // the broker is away: asked again
        } catch (InterruptedException _) {
            stopped = true;
        }
    }

    private void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException _) {
            stopped = true;
        }
    }

    @Override
    public void close() {
        stopped = true;
        for (Thread thread : threads) {
            try {
                var _ = thread.join(Duration.ofSeconds(10));
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
