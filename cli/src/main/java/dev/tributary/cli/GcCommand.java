package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Frees the artifact store of what nothing refers to any more.
@Command(
        name = "gc",
        mixinStandardHelpOptions = true,
        description = {
            "Lists the artifacts that nothing needs any more; with --delete, moves them to the store's trash, and removes"
                    + " what has lain there for long enough.",
            "Needed is, by the log: what a pool remembers of its experts, its base and task definitions;"
                    + " its last --keep generations, the champion, the champion before, what has no verdict"
                    + " yet, all these were made of and started from; and what a waiting event or an open"
                    + " dead letter refers to. What is found to be needed again is put back."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary gc",
            "  tributary gc --explain generations/0123456789abcdef",
            "  tributary gc --delete --keep 10 --min-age 48h"
        })
final class GcCommand implements Callable<Integer> {
    @Mixin StackOptions stack = new StackOptions();
    @Mixin OutputOption output = new OutputOption();

    @Option(
            names = "--keep",
            paramLabel = "N",
            defaultValue = "5",
            description =
                    "How many of each pool's newest generations are kept to go back to (default: ${DEFAULT-VALUE}).")
    int keep = 5;

    @Option(
            names = "--min-age",
            paramLabel = "DURATION",
            defaultValue = "24h",
            description =
                    "What was published, or moved to the trash, less long ago is left as it is; longer than any"
                            + " upload, merge or evaluation takes (default: ${DEFAULT-VALUE}).")
    String minAge = "24h";

    @Option(names = "--delete", description = "Do it; without this nothing is changed.")
    boolean delete;

    @Option(
            names = "--explain",
            paramLabel = "PATH",
            description = "Only say why this artifact is needed, or that it is not.")
    @Nullable String explain;

    @Spec @Nullable CommandSpec spec;

    /// What becomes of an artifact.
    private enum Fate {
        KEPT,
        YOUNG,
        DISCARDED,
        RESTORED,
        WAITS,
        REMOVED
    }

    private record Judged(ArtifactTrash.Entry entry, Fate fate, String why) {}

    @Override
    public Integer call() {
        Duration age = age();
        Connection connection = stack.connection();
        try (ArtifactTrash store = ArtifactTrash.open(connection.store())) {
            // Listed before the log is read: what is published meanwhile is not looked at.
            List<ArtifactTrash.Entry> artifacts = store.artifacts();
            List<ArtifactTrash.Entry> trash = store.trash();
            Reachable reachable = reachable(connection);
            if (explain != null) {
                return explained(explain, reachable, artifacts, trash);
            }
            Instant before = Instant.now().minus(age);
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
            print(judged);
        }
        return 0;
    }

    private Duration age() {
        if (keep < 1) {
            throw wrong("[--keep] is %d, expected 1 or more".formatted(keep));
        }
        String text = minAge.trim().toUpperCase(Locale.ROOT);
        try {
            Duration age = Duration.parse(text.startsWith("P") ? text : iso(text));
            if (!age.isNegative()) {
                return age;
            }
        } catch (DateTimeParseException _) {
            // said below
        }
        throw wrong(
                "[--min-age] is '%s', expected a duration such as 30m, 24h or 7d"
                        .formatted(minAge));
    }

    private ParameterException wrong(String sentence) {
        return new ParameterException(Objects.requireNonNull(spec).commandLine(), sentence);
    }

    private static String iso(String text) {
        return text.endsWith("D") ? "P" + text : "PT" + text;
    }

    private Reachable reachable(Connection connection) {
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
        addWaiting(connection, answered, reachable);
        return reachable;
    }

    /// Bytes that are no event refer to nothing.
    private static void addWaiting(
            Connection connection, Map<TopicPartition, Long> answered, Reachable reachable) {
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

    private Integer explained(
            String path,
            Reachable reachable,
            List<ArtifactTrash.Entry> artifacts,
            List<ArtifactTrash.Entry> trash) {
        boolean there = artifacts.stream().anyMatch(entry -> entry.path().equals(path));
        boolean thrown = trash.stream().anyMatch(entry -> entry.path().equals(path));
        String where = there ? "in the store" : thrown ? "in the trash" : "not in the store";
        Terminal.standard()
                .line(
                        "%s is %s; %s"
                                .formatted(
                                        path,
                                        where,
                                        reachable
                                                .why(path)
                                                .map(why -> "needed: " + why)
                                                .orElse("nothing refers to it")));
        return there || thrown ? 0 : 1;
    }

    private void print(List<Judged> judged) {
        if (output.json()) {
            ArrayNode all = JsonNodeFactory.instance.arrayNode();
            for (Judged one : judged) {
                ObjectNode json = all.addObject();
                json.put("path", one.entry().path());
                json.put("bytes", one.entry().bytes());
                json.put("fate", word(one.fate()));
                json.put("why", one.why());
                json.put("done", delete);
            }
            System.out.println(OutputOption.pretty(all));
            return;
        }
        Terminal terminal = Terminal.standard();
        List<List<String>> rows = new ArrayList<>();
        for (Fate fate : Fate.values()) {
            List<Judged> of = judged.stream().filter(one -> one.fate() == fate).toList();
            long bytes = of.stream().mapToLong(one -> one.entry().bytes()).sum();
            rows.add(
                    List.of(
                            word(fate),
                            Integer.toString(of.size()),
                            "%,.1f MiB".formatted(bytes / 1048576.0)));
        }
        terminal.table(
                List.of(delete ? "what was done" : "what --delete does", "artifacts", "size"),
                rows);
        judged.stream()
                .filter(one ->
                        one.fate() == Fate.DISCARDED
                                || one.fate() == Fate.RESTORED
                                || one.fate() == Fate.REMOVED)
                .forEach(one ->
                        terminal.line(
                                "  %s %s: %s"
                                        .formatted(
                                                word(one.fate()), one.entry().path(), one.why())));
    }

    private static String word(Fate fate) {
        return switch (fate) {
            case KEPT -> "needed";
            case YOUNG -> "too young to tell";
            case DISCARDED -> "to the trash";
            case RESTORED -> "back from the trash";
            case WAITS -> "waiting in the trash";
            case REMOVED -> "removed for good";
        };
    }
}
