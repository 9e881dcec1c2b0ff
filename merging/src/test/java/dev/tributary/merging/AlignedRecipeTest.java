package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.models.Vocabulary;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A recipe that says whose tokens are wanted gives a model whose rows, configuration and tokenizer
/// belong together.
class AlignedRecipeTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> BASE = List.of("a", "b", "c", "<end>");
    private static final List<String> CHAT = List.of("c", "b", "<tool>", "a", "<eot>", "d");

    private final TinyModel base =
            new TinyModel(BASE, 6, Dtype.F32, true, 1)
                    .added("<end>")
                    .config(", \"eos_token_id\": 3, \"tie_word_embeddings\": true");
    private final TinyModel chat =
            new TinyModel(CHAT, 6, Dtype.F32, true, 2)
                    .added("<tool>")
                    .added("<eot>")
                    .config(", \"eos_token_id\": 4, \"pad_token_id\": 0");

    @TempDir private Path folder;

    @BeforeEach
    void models() {
        base.write(folder.resolve("base"));
        chat.write(folder.resolve("chat"));
    }

    private Path merge(String tokenizer) throws IOException {
        return merge(tokenizer, "merged");
    }

    private Path merge(String tokenizer, String to) throws IOException {
        Path target = Files.createDirectories(folder.resolve(to));
        PoolMerger.merge(recipe(tokenizer), folder.resolve("cache"), target, Progress.SILENT);
        return target;
    }

    private Recipe recipe(String tokenizer) throws IOException {
        Path recipe =
                Files.writeString(
                        folder.resolve("recipe.yaml"),
                        """
                        merge_method: task_arithmetic
                        base_model: base
                        models:
                          - model: chat
                            parameters: {weight: 1.0}
                        %s
                        """
                                .formatted(tokenizer));
        return Recipe.read(recipe);
    }

    private static JsonNode json(Path file) throws IOException {
        return JSON.readTree(Files.readString(file));
    }

    private static float[] row(Path merged, int row) {
        try (Checkpoint checkpoint = Checkpoint.open(merged)) {
            float[] values = new float[TinyModel.COLUMNS];
            checkpoint.readFloats(
                    TinyModel.EMBEDDINGS,
                    (long) row * TinyModel.COLUMNS,
                    java.lang.foreign.MemorySegment.ofArray(values));
            return values;
        }
    }

    @Test
    void theUnionsNewTokensAreInRowsConfigurationAndTokenizer() throws IOException {
        Path merged = merge("tokenizer_source: union");
        Vocabulary tokens = Vocabulary.read(merged).orElseThrow();
        for (int id = 0; id < BASE.size(); id++) {
            assertThat(tokens.token(id)).isEqualTo(BASE.get(id));
        }
        assertThat(List.of(tokens.id("<tool>"), tokens.id("<eot>"), tokens.id("d")))
                .containsExactly(4, 5, 6);
        assertThat(tokens.added("<tool>").orElseThrow().path("special").asBoolean()).isTrue();
        assertThat(tokens.added("d")).as("one of the tokenizer's model").isEmpty();
        assertThat(json(merged.resolve("config.json")).path("vocab_size").asInt()).isEqualTo(7);
        assertThat(json(merged.resolve("config.json")).path("eos_token_id").asInt()).isEqualTo(3);
        for (String token : List.of("<tool>", "<eot>", "d")) {
            assertThat(row(merged, tokens.id(token)))
                    .as("the only expert's row of " + token)
                    .isEqualTo(chat.row(TinyModel.EMBEDDINGS, chat.id(token)));
        }
        assertThat(row(merged, 3))
                .as("what no expert has stays the base's")
                .isEqualTo(base.row(TinyModel.EMBEDDINGS, 3));
    }

    @Test
    void theTokenizerOfANamedModelComesWithItsRowsAndSpecialTokens() throws IOException {
        Path merged = merge("tokenizer: {source: chat, pad_to_multiple_of: 8}");
        assertThat(
                        Files.mismatch(
                                merged.resolve("tokenizer.json"),
                                folder.resolve("chat/tokenizer.json")))
                .isEqualTo(-1);
        JsonNode config = json(merged.resolve("config.json"));
        assertThat(config.path("vocab_size").asInt()).isEqualTo(8);
        assertThat(config.path("eos_token_id").asInt()).isEqualTo(4);
        assertThat(config.path("pad_token_id").asInt()).isEqualTo(0);
        assertThat(row(merged, 7)).containsOnly(0f);
        assertThat(row(merged, 2)).isEqualTo(chat.row(TinyModel.EMBEDDINGS, 2));
    }

    @Test
    void theLineageSaysHowTokensWereAlignedAndTheIdDependsOnIt() throws IOException {
        JsonNode union = json(merge("tokenizer_source: union", "union").resolve("tributary.json"));
        JsonNode ofBase =
                json(merge("tokenizer_source: base", "base-tokens").resolve("tributary.json"));
        assertThat(union.path("vocabulary").path("source").asText()).isEqualTo("union");
        assertThat(union.path("vocabulary").path("added").asInt()).isEqualTo(3);
        assertThat(ofBase.path("vocabulary").path("members").path(0).path("left_out").asInt())
                .isEqualTo(3);
        assertThat(union.path("id")).isNotEqualTo(ofBase.path("id"));
        JsonNode again = json(merge("tokenizer_source: union", "again").resolve("tributary.json"));
        assertThat(again).isEqualTo(union);
    }

    @Test
    void withoutAWordAboutTokensNothingIsMerged() {
        RefusedException refused = catchThrowableOfType(RefusedException.class, () -> merge(""));
        assertThat(refused)
                .hasMessageContaining(
                        "[chat model.embed_tokens.weight] has 6 vocabulary rows, the base 6")
                .hasMessageContaining("first other token is 0, 'c' here and 'a' there");
    }

    @Test
    void theUnionOfAProbabilityModelIsRefused() throws IOException {
        Files.writeString(
                folder.resolve("base/tokenizer.json"),
                """
                {"added_tokens": [],
                 "model": {"type": "Unigram", "vocab": [["a", -1], ["b", -2], ["c", -3], ["<end>", 0]]}}
                """);
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> merge("tokenizer_source: union"));
        assertThat(refused).hasMessageContaining("union would add 1 tokens to a unigram model");
    }
}
