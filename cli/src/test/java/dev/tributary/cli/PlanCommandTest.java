package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.MergePlan;
import dev.tributary.merging.PoolMerger;
import dev.tributary.merging.Recipe;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCommandTest {
    private static final String EMBEDDINGS = "model.embed_tokens.weight";

    @TempDir private Path folder;

    private void model(String name, String vocabulary, int rows) throws IOException {
        Path directory = Files.createDirectories(folder.resolve(name));
        Files.writeString(directory.resolve("config.json"), "{\"vocab_size\": %d}".formatted(rows));
        Files.writeString(
                directory.resolve("tokenizer.json"),
                "{\"added_tokens\": [], \"model\": {\"vocab\": %s}}".formatted(vocabulary));
        TensorSpec spec = new TensorSpec(EMBEDDINGS, Dtype.F32, List.of((long) rows, 2L));
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        directory.resolve("model.safetensors"),
                        List.of(spec),
                        CheckpointWriter.PYTORCH)) {
            writer.write(EMBEDDINGS, MemorySegment.ofArray(new float[rows * 2]));
            writer.finish();
        }
    }

    private MergePlan plan(String tokenizerSource) throws IOException {
        Path recipe =
                Files.writeString(
                        folder.resolve("recipe.yaml"),
                        """
                        merge_method: task_arithmetic
                        base_model: base
                        models:
                          - model: chat
                            parameters: {weight: 1}
                        tokenizer_source: %s
                        """
                                .formatted(tokenizerSource));
        return PoolMerger.plan(Recipe.read(recipe));
    }

    @Test
    void thePlanShowsWhatBecomesOfTokens() throws IOException {
        model("base", "{\"a\": 0, \"b\": 1, \"c\": 2}", 4);
        model("chat", "{\"b\": 0, \"a\": 1, \"\\u001b[2J\": 2}", 3);
        assertThat(PlanCommand.lines(plan("base").vocabulary().orElseThrow()))
                .containsExactly(
                        "vocabulary base: 3 tokens in 4 rows, 0 of them added to the base's; 1 tensors"
                                + " aligned by token",
                        "           chat: 2 tokens shared, 1 missing (task vector zero), 1 left out:"
                                + " \uFFFD[2J");
        assertThat(PlanCommand.lines(plan("union").vocabulary().orElseThrow()))
                .containsExactly(
                        "vocabulary union: 4 tokens in 4 rows, 1 of them added to the base's; 1"
                                + " tensors aligned by token",
                        "           chat: 3 tokens shared, 1 missing (task vector zero), 0 left out");
    }

    @Test
    void modelsOfOneVocabularyNeedNoWord() throws IOException {
        model("base", "{\"a\": 0, \"b\": 1}", 2);
        model("chat", "{\"b\": 1, \"a\": 0}", 2);
        assertThat(plan("union").vocabulary()).isEmpty();
    }
}
