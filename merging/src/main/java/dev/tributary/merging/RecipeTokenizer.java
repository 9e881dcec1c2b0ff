package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.FailureCode;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Understands which tokens a recipe wants: `tokenizer_source`, or `tokenizer` with `source` and
/// `pad_to_multiple_of`.
final class RecipeTokenizer {
    private static final String SOURCE = "tokenizer_source";
    private static final String MAPPING = "tokenizer";
    private static final String PADDING = "pad_to_multiple_of";
    private static final int MOST_PADDING = 1 << 20;

    private final JsonNode root;
    private final RecipePaths paths;
    private final RecipeModels models;
    private final FaultSink faults;

    RecipeTokenizer(JsonNode root, RecipePaths paths, RecipeModels models, FaultSink faults) {
        this.root = root;
        this.paths = paths;
        this.models = models;
        this.faults = faults;
    }

    /// What is wanted; null where the recipe does not say, or says it wrongly, which is reported.
    ///
    /// @param base the base's folder; null where that is wrong
    @Nullable VocabularyChoice choice(@Nullable Path base) {
        JsonNode mapping = root.path(MAPPING);
        if (root.has(SOURCE) && root.has(MAPPING)) {
            fault(MAPPING, "stands beside tokenizer_source, expected one of the two");
            return null;
        }
        if (root.has(SOURCE)) {
            return source(SOURCE, root.path(SOURCE), base);
        }
        if (!root.has(MAPPING)) {
            return null;
        }
        if (!mapping.isObject()) {
            fault(MAPPING, "is no mapping, expected source and pad_to_multiple_of");
            return null;
        }
        if (mapping.has("tokens")) {
            fault(
                    MAPPING + ".tokens",
                    "is not supported: rows come from the models that have the token, remove it");
        }
        RecipeReader.unknownKeys(
                MAPPING + ".", mapping, Set.of("source", PADDING, "tokens"), faults);
        VocabularyChoice choice =
                mapping.has("source")
                        ? source(MAPPING + ".source", mapping.path("source"), base)
                        : VocabularyChoice.ofUnion();
        int padding = padding(mapping.path(PADDING));
        return choice == null || padding < 1 ? null : choice.paddedTo(padding);
    }

    private int padding(JsonNode node) {
        if (node.isMissingNode() || node.isNull()) {
            return 1;
        }
        if (node.isInt() && node.intValue() >= 1 && node.intValue() <= MOST_PADDING) {
            return node.intValue();
        }
        fault(
                MAPPING + "." + PADDING,
                "was '%s', expected a whole number, at least 1 and at most %d"
                        .formatted(node.asText(), MOST_PADDING));
        return -1;
    }

    private @Nullable VocabularyChoice source(String place, JsonNode node, @Nullable Path base) {
        String written = node.asText("");
        if (written.equals("base")) {
            return VocabularyChoice.ofBase();
        }
        if (written.equals("union")) {
            return VocabularyChoice.ofUnion();
        }
        Path folder = node.isTextual() ? paths.resolve(written).orElse(null) : null;
        if (folder != null && folder.equals(base)) {
            return VocabularyChoice.ofBase();
        }
        if (folder != null && models.nameOf(folder).isPresent()) {
            return VocabularyChoice.ofModel(folder);
        }
        fault(place, "'%s' is none of base, union or a model of the recipe".formatted(written));
        return null;
    }

    private void fault(String place, String sentence) {
        faults.add(FailureCode.BAD_OPTION, place, sentence);
    }
}
