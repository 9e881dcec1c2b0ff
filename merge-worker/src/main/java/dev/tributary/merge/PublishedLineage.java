package dev.tributary.merge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an artifact that is in the store already says about how it came about.
///
/// @param groups the groups of tensors that have a coefficient of their own, in order
/// @param parts what took part
/// @param lossBefore mean divergence at the start; null for methods without an optimiser
/// @param lossAfter the same at the end
/// @param steps steps of the optimiser
record PublishedLineage(
        List<String> groups,
        List<MergedGeneration.Part> parts,
        @Nullable Double lossBefore,
        @Nullable Double lossAfter,
        int steps) {
    private static final String FILE = "tributary.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    PublishedLineage {
        groups = List.copyOf(groups);
        parts = List.copyOf(parts);
    }

    /// Reads an artifact's lineage.
    ///
    /// @throws RefusedException when the artifact is of another request than this wish
    static PublishedLineage read(Path artifact, Wish wish) {
        JsonNode root;
        try {
            root = JSON.readTree(artifact.resolve(FILE).toFile());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(artifact), e);
        }
        String id = root.path("id").asText();
        if (!id.equals(wish.id().value())) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.DIGEST_MISMATCH,
                            wish.storePath(),
                            "is of request %s, expected %s: remove the folder, it is made anew"
                                    .formatted(id, wish.id())));
        }
        List<String> groups = groups(root, wish);
        JsonNode losses = root.path("losses");
        return new PublishedLineage(
                groups,
                parts(root, wish, groups),
                mean(losses.path("before")),
                mean(losses.path("after")),
                losses.path("steps").asInt(0));
    }

    private static List<String> groups(JsonNode root, Wish wish) {
        List<String> groups = new ArrayList<>();
        root.path("coefficients")
                .path(wish.tasks().getFirst())
                .fieldNames()
                .forEachRemaining(groups::add);
        return groups;
    }

    private static List<MergedGeneration.Part> parts(
            JsonNode root, Wish wish, List<String> groups) {
        List<MergedGeneration.Part> parts = new ArrayList<>();
        for (Wish.Member member : wish.members()) {
            JsonNode own = root.path("coefficients").path(member.task());
            parts.add(
                    new MergedGeneration.Part(
                            member,
                            null,
                            groups.stream().map(group -> own.path(group).asDouble()).toList()));
        }
        return parts;
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
