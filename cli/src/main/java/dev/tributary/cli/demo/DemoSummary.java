package dev.tributary.cli.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.cli.demo.ScoredGeneration.Method;
import dev.tributary.events.RegressionAlert;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/// What a run of the demo came to, as JSON: generations and alerts.
final class DemoSummary {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Map<Long, ScoredGeneration> generations = new TreeMap<>();
    private final Map<Long, String> verdicts = new TreeMap<>();
    private final SequencedMap<String, List<RegressionAlert>> alerts = new LinkedHashMap<>();

    synchronized void add(ScoredGeneration generation) {
        generations.put(generation.number(), generation);
    }

    synchronized void verdict(long number, String verdict) {
        verdicts.put(number, verdict);
    }

    synchronized void alert(RegressionAlert alert) {
        alerts.computeIfAbsent(alert.getAlertId(), _ -> new ArrayList<>()).add(alert);
    }

    synchronized void write(Path file) {
        ObjectNode json = JSON.createObjectNode();
        ArrayNode list = json.putArray("generations");
        generations.values().forEach(generation -> list.add(of(generation)));
        ArrayNode states = json.putArray("alerts");
        alerts.values().forEach(history -> states.add(of(history)));
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            JSON.writerWithDefaultPrettyPrinter().writeValue(file.toFile(), json);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    private ObjectNode of(ScoredGeneration generation) {
        ObjectNode json = JSON.createObjectNode();
        json.put("number", generation.number());
        ArrayNode members = json.putArray("members");
        generation.members().forEach(members::add);
        json.put("damaged", generation.damaged());
        ObjectNode anp = json.putObject("anp");
        for (Method method : Method.values()) {
            anp.put(method.id(), generation.anp(method));
        }
        ObjectNode retention = json.putObject("retention");
        ObjectNode tasks = json.putObject("tasks");
        generation
                .tasks()
                .forEach((task, scores) -> {
                    retention.put(task, scores.retention(Method.DIVMERGE));
                    ObjectNode row = tasks.putObject(task);
                    row.put("base", scores.base());
                    row.put("expert", scores.expert());
                    scores.merged().forEach((method, score) -> row.put(method.id(), score));
                });
        ObjectNode coefficients = json.putObject("coefficients");
        generation
                .coefficients()
                .forEach((task, values) -> {
                    ArrayNode array = coefficients.putArray(task);
                    values.forEach(array::add);
                });
        json.put("verdict", verdicts.getOrDefault(generation.number(), "NONE"));
        json.put("seconds", generation.seconds());
        json.put("reused", generation.reused());
        return json;
    }

    private static ObjectNode of(List<RegressionAlert> history) {
        RegressionAlert newest = history.getLast();
        ObjectNode json = JSON.createObjectNode();
        if (newest.getTask() == null) {
            json.put("pool", newest.getPool());
        } else {
            json.put("task", newest.getTask());
        }
        json.put("state", newest.getState().toString().toLowerCase(java.util.Locale.ROOT));
        ArrayNode states = json.putArray("history");
        for (RegressionAlert alert : history) {
            states.add(alert.getState().toString().toLowerCase(java.util.Locale.ROOT));
        }
        json.put("sentence", newest.getSentence());
        return json;
    }
}
