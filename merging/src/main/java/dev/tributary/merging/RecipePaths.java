package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.FailureCode;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Finds the folders a recipe names, relative to the one it lies in, and says what to do about a
/// name that is none.
///
/// @param folder the recipe's folder
record RecipePaths(Path folder) {
    private static final Pattern HUB_ID = Pattern.compile("[\\w.-]+/[\\w.-]+(@[\\w./-]+)?");

    /// The folders of a recipe.
    static RecipePaths beside(Path recipe) {
        return new RecipePaths(
                Optional.ofNullable(recipe.toAbsolutePath().getParent()).orElse(recipe));
    }

    /// What a recipe calls by this name; empty where nothing can have it.
    Optional<Path> resolve(String written) {
        try {
            return Optional.of(folder.resolve(written).normalize());
        } catch (InvalidPathException _) {
            return Optional.empty();
        }
    }

    /// The folder a node names; null where it names none, which is reported unless the node is
    /// absent.
    @Nullable Path find(String place, JsonNode node, FaultSink faults) {
        if (node.isMissingNode() || node.isNull()) {
            return null;
        }
        String written = node.asText("");
        if (node.isTextual() && !written.isBlank()) {
            Optional<Path> named = resolve(written).filter(Files::isDirectory);
            if (named.isPresent()) {
                return named.get();
            }
        }
        faults.add(FailureCode.ARTIFACT_MISSING, place, missing(node, written));
        return null;
    }

    private static String missing(JsonNode node, String written) {
        if (!node.isTextual() || written.isBlank()) {
            return "is no path, expected the folder of a checkpoint";
        }
        if (written.contains("+")) {
            return "'%s' is no folder: an adapter is listed by its own folder, beside base_model, and read as it is"
                    .formatted(written);
        }
        if (HUB_ID.matcher(written).matches() && !written.startsWith(".")) {
            return "'%s' is no folder beside the recipe: models are not fetched from a hub,"
                            .formatted(written)
                    + " download it and name its folder";
        }
        return "'%s' is no folder, expected that of a checkpoint, relative to the recipe"
                .formatted(written);
    }

    /// What a folder of the result can be called after a path.
    static String folderName(String path) {
        return path.replaceAll("[^A-Za-z0-9._-]+", "-").replaceFirst("^[^A-Za-z0-9]+", "");
    }

    /// The last part of a path.
    static String lastPart(Path directory) {
        return Optional.ofNullable(directory.getFileName()).orElse(directory).toString();
    }
}
