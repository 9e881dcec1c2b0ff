package dev.tributary.cli.chaos;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.cli.Terminal;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationMerged;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.TreeMap;

/// What a campaign came to.
///
/// @param swept what the garbage collection did meanwhile
/// @param looks how often an artifact was opened and compared with its digest
/// @param replayed how many generations were made anew
record ChaosSummary(
        Campaign.Settings settings,
        Faults faults,
        Sweeper.Swept swept,
        List<Sent> sent,
        List<Seen> seen,
        long looks,
        int replayed,
        Findings findings,
        Recovery recovery,
        double seconds) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int SHOWN = 10;

    /// What was done.
    ///
    /// @param kills processes ended by SIGKILL or at a named point
    /// @param networkCuts connections between workers and broker that were cut off
    /// @param networkHolds times in which nothing came through between them
    /// @param exits workers that ended by themselves, because of a fault they are not to survive
    /// @param points faults at named points, by `POINT:KIND`
    record Faults(
            int kills,
            int stalls,
            int brokerRestarts,
            int networkCuts,
            int networkHolds,
            int exits,
            SortedMap<String, Integer> points) {
        Faults {
            points = new TreeMap<>(points);
        }
    }

    ChaosSummary {
        sent = List.copyOf(sent);
        seen = List.copyOf(seen);
    }

    /// Whether nothing was found.
    boolean sound() {
        return findings.none();
    }

    private long count(Class<?> type) {
        return seen.stream().filter(one -> type.isInstance(one.event())).count();
    }

    void print(Terminal terminal) {
        terminal.heading("Harm done");
        List<List<String>> done = new ArrayList<>();
        done.add(List.of("kills", Integer.toString(faults.kills())));
        done.add(List.of("stalls", Integer.toString(faults.stalls())));
        done.add(List.of("broker restarts", Integer.toString(faults.brokerRestarts())));
        done.add(List.of("connections cut", Integer.toString(faults.networkCuts())));
        done.add(List.of("times without a network", Integer.toString(faults.networkHolds())));
        done.add(
                List.of(
                        "faults at named points",
                        Integer.toString(
                                faults.points().values().stream()
                                        .mapToInt(Integer::intValue)
                                        .sum())));
        done.add(List.of("records sent", Integer.toString(sent.size())));
        done.add(List.of("generations", Long.toString(count(GenerationMerged.class))));
        done.add(List.of("verdicts", Long.toString(count(GenerationEvaluated.class))));
        done.add(List.of("dead letters", Long.toString(count(DeadLetter.class))));
        done.add(List.of("looks at artifacts", Long.toString(looks)));
        done.add(List.of("generations made anew, twice", Integer.toString(replayed)));
        done.add(
                List.of(
                        "artifacts thrown away, in %d collections".formatted(swept.runs()),
                        Integer.toString(swept.discarded())));
        terminal.table(List.of("what", "count"), done);
        terminal.heading("What came of it");
        List<List<String>> rows = new ArrayList<>();
        for (Findings.Kind kind : Findings.Kind.values()) {
            int found = findings.of(kind).size();
            rows.add(
                    List.of(
                            kind.name().toLowerCase(Locale.ROOT),
                            terminal.coloured(Integer.toString(found), found == 0)));
        }
        terminal.table(List.of("fault", "count"), rows);
        for (Findings.Kind kind : Findings.Kind.values()) {
            findings.of(kind).stream()
                    .limit(SHOWN)
                    .forEach(sentence ->
                            terminal.line(
                                    "  %s: %s"
                                            .formatted(
                                                    kind.name().toLowerCase(Locale.ROOT),
                                                    sentence)));
        }
        terminal.line(
                "recovery after %d rounds of faults: median %.1f s, 99 %% %.1f s, longest %.1f s; %s in all"
                        .formatted(
                                recovery.rounds(),
                                recovery.quantile(0.5),
                                recovery.quantile(0.99),
                                recovery.quantile(1),
                                Terminal.duration(Duration.ofMillis(Math.round(seconds * 1000)))));
    }

    void write(Path file) {
        ObjectNode json = JSON.createObjectNode();
        json.put("seed", settings.seed());
        json.put("merge_workers", settings.mergeWorkers());
        json.put("eval_workers", settings.evalWorkers());
        json.put("pools", settings.pools());
        json.put("kills", faults.kills());
        json.put("stalls", faults.stalls());
        json.put("broker_restarts", faults.brokerRestarts());
        json.put("network_cuts", faults.networkCuts());
        json.put("network_holds", faults.networkHolds());
        json.put("exits", faults.exits());
        ObjectNode points = json.putObject("fault_points");
        faults.points().forEach(points::put);
        json.put("sent", sent.size());
        json.put("generations", count(GenerationMerged.class));
        json.put("verdicts", count(GenerationEvaluated.class));
        json.put("dead_letters", count(DeadLetter.class));
        json.put("collections", swept.runs());
        json.put("collections_failed", swept.failed());
        json.put("discarded", swept.discarded());
        json.put("restored", swept.restored());
        json.put("removed", swept.removed());
        json.put("looks", looks);
        json.put("replayed", replayed);
        ObjectNode sentences = JSON.createObjectNode();
        for (Findings.Kind kind : Findings.Kind.values()) {
            String name = kind.name().toLowerCase(Locale.ROOT);
            json.put(name, findings.of(kind).size());
            ArrayNode list = sentences.putArray(name);
            findings.of(kind).forEach(list::add);
        }
        json.set("findings", sentences);
        json.put("rounds", recovery.rounds());
        json.put("recovery_p50_s", recovery.quantile(0.5));
        json.put("recovery_p99_s", recovery.quantile(0.99));
        json.put("recovery_max_s", recovery.quantile(1));
        json.put("seconds", seconds);
        try {
            Path parent = file.toAbsolutePath().getParent();
            if (parent != null) {
                Files.createDirectories(parent);
            }
            JSON.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), json);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }
}
