package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.merging.method.Granularity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a generation that is in the store says about how it came about.
///
/// @param id digest of everything that determines it
/// @param provenance where it comes from
/// @param coefficients what was learnt; null for methods that learn none
/// @param lossBefore mean divergence at the start; null for methods without an optimiser
/// @param lossAfter the same at the end
/// @param steps steps of the optimiser
public record PublishedLineage(
        String id,
        Provenance provenance,
        @Nullable Coefficients coefficients,
        @Nullable Double lossBefore,
        @Nullable Double lossAfter,
        int steps) {
    private static final String FILE = "tributary.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Reads the lineage of a pool's generation.
    ///
    /// @param artifact its folder
    public static PublishedLineage read(Path artifact) {
        JsonNode root = json(artifact);
        JsonNode losses = root.path("losses");
        return new PublishedLineage(
                root.path("id").asText(),
                provenance(root),
                coefficients(root),
                mean(losses.path("before")),
                mean(losses.path("after")),
                losses.path("steps").asInt(0));
    }

    private static Provenance provenance(JsonNode root) {
        Map<String, String> eventIds = new TreeMap<>();
        for (JsonNode member : root.path("members")) {
            eventIds.put(member.path("task").asText(), member.path("event_id").asText());
        }
        return Provenance.ofPool(
                root.path("pool").asText(),
                root.path("generation").asLong(),
                root.path("base").path("name").asText(),
                root.path("started_from").asText(null),
                eventIds);
    }

    private static JsonNode json(Path artifact) {
        try {
            return JSON.readTree(artifact.resolve(FILE).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(artifact), e);
        }
    }

    private static @Nullable Coefficients coefficients(JsonNode root) {
        List<String> tasks = new ArrayList<>();
        root.path("coefficients").fieldNames().forEachRemaining(tasks::add);
        if (tasks.isEmpty()) {
            return null;
        }
        Granularity granularity = granularity(root);
        List<String> groups = new ArrayList<>();
        List<Double> values = new ArrayList<>();
        for (String task : tasks) {
            JsonNode own = root.path("coefficients").path(task);
            groups.clear();
            own.fieldNames().forEachRemaining(groups::add);
            groups.stream()
                    .limit(granularity == Granularity.TASK ? 1 : groups.size())
                    .forEach(group -> values.add(own.path(group).asDouble()));
        }
        return new Coefficients(granularity, tasks, groups, values);
    }

    /// A method that learns coefficients has it among its options.
    private static Granularity granularity(JsonNode root) {
        String id = root.path("method").path("options").path("granularity").asText();
        return Arrays.stream(Granularity.values())
                .filter(granularity -> granularity.id().equals(id))
                .findFirst()
                .orElse(Granularity.LAYER);
    }

    private static @Nullable Double mean(JsonNode byTask) {
        if (byTask.isEmpty()) {
            return null;
        }
        List<Double> losses = new ArrayList<>();
        byTask.forEach(loss -> losses.add(loss.asDouble()));
        return DivMergeResult.mean(losses);
    }
}
