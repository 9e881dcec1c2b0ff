package dev.tributary.merge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.merging.Coefficients;
import dev.tributary.merging.method.Granularity;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an artifact that is in the store already says about how it came about.
///
/// @param coefficients what was learnt; null for methods that learn none
/// @param lossBefore mean divergence at the start; null for methods without an optimiser
/// @param lossAfter the same at the end
/// @param steps steps of the optimiser
record PublishedLineage(
        @Nullable Coefficients coefficients,
        @Nullable Double lossBefore,
        @Nullable Double lossAfter,
        int steps) {
    private static final String FILE = "tributary.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    /// Reads an artifact's lineage.
    ///
    /// @throws RefusedException when the artifact is of another request than this wish
    static PublishedLineage read(Path artifact, Wish wish) {
        JsonNode root = json(artifact);
        String id = root.path("id").asText();
        if (!id.equals(wish.id().value())) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.DIGEST_MISMATCH,
                            wish.storePath(),
                            "is of request %s, expected %s: remove the folder, it is made anew"
                                    .formatted(id, wish.id())));
        }
        JsonNode losses = root.path("losses");
        return new PublishedLineage(
                coefficients(root),
                mean(losses.path("before")),
                mean(losses.path("after")),
                losses.path("steps").asInt(0));
    }

    /// The coefficients of an artifact; null where its method learns none.
    static @Nullable Coefficients coefficients(Path artifact) {
        return coefficients(json(artifact));
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
        double sum = 0;
        for (JsonNode loss : byTask) {
            sum += loss.asDouble();
        }
        return sum / byTask.size();
    }
}
