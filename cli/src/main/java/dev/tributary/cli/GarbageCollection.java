package dev.tributary.cli;

import dev.tributary.events.ArtifactReference;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PoolUpdated;
import dev.tributary.merging.PublishedLineage;
import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.Topic;
import dev.tributary.schemas.UndecodableRecordException;
import dev.tributary.tensors.ArtifactTrash;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/// Frees an artifact store of what nothing in the log refers to any more, beside the workers that
/// use it: what nobody needs goes to the trash, what has lain there for long enough goes for good,
/// and what is needed after all comes back.
public final class GarbageCollection {
    private final Connection connection;
    private final int keep;

    /// @param keep how many of each pool's newest generations are needed
    public GarbageCollection(Connection connection, int keep) {
        this.connection = connection;
        this.keep = keep;
    }

    /// What becomes of an artifact.
    public enum Fate {
        KEPT("needed"),
        YOUNG("too young to tell"),
        DISCARDED("to the trash"),
        RESTORED("back from the trash"),
        WAITS("waiting in the trash"),
        REMOVED("removed for good");

        private final String words;

        Fate(String words) {
            this.words = words;
        }

        /// As people read it.
        String words() {
            return words;
        }
    }

    /// Where an artifact is.
    enum Place {
        STORE("in the store"),
        TRASH("in the trash"),
        NOWHERE("not in the store");

        private final String words;

        Place(String words) {
            this.words = words;
        }

        /// As people read it.
        String words() {
            return words;
        }
    }

    /// An artifact and what becomes of it.
    public record Judged(ArtifactTrash.Entry entry, Fate fate, String why) {}

    /// What is known of one artifact.
    ///
    /// @param needed why it is; empty where nothing refers to it
    record Explanation(Place place, Optional<String> needed) {}

    /// Judges every artifact of the store and its trash.
    ///
    /// @param minAge what was published, or moved to the trash, less long ago is left as it is
    /// @param delete whether to do it, or only to say so
    public List<Judged> run(Duration minAge, boolean delete) {
        try (ArtifactTrash store = ArtifactTrash.open(connection.store())) {
            // Listed before the log is read: what is published meanwhile is not looked at.
            List<ArtifactTrash.Entry> artifacts = store.artifacts();
            List<ArtifactTrash.Entry> trash = store.trash();
            Reachable reachable = reachable();
            Instant before = Instant.now().minus(minAge);
            List<Judged> judged = new ArrayList<>();
            for (ArtifactTrash.Entry entry : trash) {
                judged.add(ofTrash(entry, reachable, before));
            }
            for (ArtifactTrash.Entry entry : artifacts) {
                judged.add(ofStore(entry, reachable, before));
            }
            if (delete) {
                judged.replaceAll(one -> carriedOut(one, store));
            }
            return judged;
        }
    }

    /// Why an artifact is needed, or that it is not.
    Explanation explain(String path) {
        try (ArtifactTrash store = ArtifactTrash.open(connection.store())) {
            Place place =
                    holds(store.artifacts(), path)
                            ? Place.STORE
                            : holds(store.trash(), path) ? Place.TRASH : Place.NOWHERE;
            return new Explanation(place, reachable().why(path));
        }
    }

    private static boolean holds(List<ArtifactTrash.Entry> entries, String path) {
        return entries.stream().anyMatch(entry -> entry.path().equals(path));
    }

    private Reachable reachable() {
        Reachable reachable =
                new Reachable(keep, artifact -> startedFrom(connection.store(), artifact));
        Map<TopicPartition, Long> answered;
        try (PoolEventOffsets offsets = new PoolEventOffsets(connection)) {
            answered = offsets.answeredBefore();
        }
        try (EventLog log = EventLog.open(connection)) {
            Map<String, PoolUpdated> states = new TreeMap<>();
            List<GenerationMerged> merged = new ArrayList<>();
            List<GenerationPromoted> promoted = new ArrayList<>();
            List<GenerationEvaluated> evaluated = new ArrayList<>();
            for (ConsumerRecord<String, SpecificRecord> record :
                    log.read(
                            List.of(
                                    Topic.POOL_STATES,
                                    Topic.GENERATIONS,
                                    Topic.PROMOTIONS,
                                    Topic.EVALUATIONS),
                            _ -> true)) {
                switch (record.value()) {
                    case PoolUpdated state -> states.put(state.getPool(), state);
                    case GenerationMerged one -> merged.add(one);
                    case GenerationPromoted one -> promoted.add(one);
                    case GenerationEvaluated one -> evaluated.add(one);
                    case null, default -> {}
                }
            }
            reachable.addStates(states.values());
            reachable.addGenerations(merged, promoted, evaluated);
        }
        addWaiting(answered, reachable);
        return reachable;
    }

    /// Bytes that are no event refer to nothing.
    private void addWaiting(Map<TopicPartition, Long> answered, Reachable reachable) {
        try (AvroWireDeserializer events = new AvroWireDeserializer()) {
            events.configure(Map.of("schema.registry.url", connection.registryUrl()), false);
            DeadLetterQueues queues = new DeadLetterQueues(connection);
            for (SetAside letter : queues.read()) {
                if (letter.settled() == null) {
                    reachable.addWaiting(
                            decoded(events, letter.record()), "dead letter " + letter.id());
                }
            }
            for (ConsumerRecord<byte[], byte[]> record : queues.poolEventsFrom(answered)) {
                reachable.addWaiting(
                        decoded(events, record),
                        "event %d@%d, which waits".formatted(record.partition(), record.offset()));
            }
        }
    }

    private static @Nullable SpecificRecord decoded(
            AvroWireDeserializer events, ConsumerRecord<byte[], byte[]> record) {
        try {
            return events.deserialize(record.topic(), record.value());
        } catch (UndecodableRecordException _) {
            return null;
        }
    }

    private static Optional<String> startedFrom(Path store, ArtifactReference artifact) {
        Path folder = store.resolve(artifact.getUri().substring("store:".length()));
        if (!Files.isRegularFile(folder.resolve("tributary.json"))) {
            return Optional.empty();
        }
        return Optional.ofNullable(PublishedLineage.read(folder).provenance().startedFrom());
    }

    private static Judged ofTrash(ArtifactTrash.Entry entry, Reachable reachable, Instant before) {
        Optional<String> why = reachable.why(entry.path());
        if (why.isPresent()) {
            return new Judged(entry, Fate.RESTORED, why.get());
        }
        return entry.touched().isAfter(before)
                ? new Judged(entry, Fate.WAITS, "in the trash since " + entry.touched())
                : new Judged(entry, Fate.REMOVED, "in the trash since " + entry.touched());
    }

    private static Judged ofStore(ArtifactTrash.Entry entry, Reachable reachable, Instant before) {
        Optional<String> why = reachable.why(entry.path());
        if (why.isPresent()) {
            return new Judged(entry, Fate.KEPT, why.get());
        }
        return entry.touched().isAfter(before)
                ? new Judged(entry, Fate.YOUNG, "published or found again at " + entry.touched())
                : new Judged(entry, Fate.DISCARDED, "nothing refers to it");
    }

    private static Judged carriedOut(Judged judged, ArtifactTrash store) {
        switch (judged.fate()) {
            case DISCARDED -> {
                if (!store.discard(judged.entry())) {
                    return new Judged(judged.entry(), Fate.YOUNG, "found again just now");
                }
            }
            case RESTORED -> store.restore(judged.entry());
            case REMOVED -> store.remove(judged.entry());
            case KEPT, YOUNG, WAITS -> {}
        }
        return judged;
    }
}
