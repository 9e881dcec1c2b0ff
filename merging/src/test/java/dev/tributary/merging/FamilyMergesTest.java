package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.Example;
import dev.tributary.models.RunningModel;
import dev.tributary.models.TextTokenizer;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Whole merges of small random models of the families beside BERT.
class FamilyMergesTest {
    private static final String ROBERTA =
            """
            {"model_type": "roberta", "architectures": ["RobertaForSequenceClassification"],
             "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 48, "vocab_size": 120, "max_position_embeddings": 34,
             "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
            """;
    private static final String DISTILBERT =
            """
            {"model_type": "distilbert", "architectures": ["DistilBertForSequenceClassification"],
             "dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 48, "vocab_size": 120,
             "max_position_embeddings": 32}
            """;
    private static final String QWEN2 =
            """
            {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"],
             "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "intermediate_size": 48, "vocab_size": 120,
             "max_position_embeddings": 64, "tie_word_embeddings": true}
            """;
    private static final String T5 =
            """
            {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"],
             "d_model": 32, "num_layers": 2, "num_heads": 4, "d_kv": 8, "d_ff": 48,
             "vocab_size": 120}
            """;

    private static final String IMAGE_SIDE =
            """
            {"model_type": "clip_vision_model", "hidden_size": 32, "num_hidden_layers": 2,
             "num_attention_heads": 4, "intermediate_size": 48, "image_size": 8, "patch_size": 4,
             "projection_dim": 16}
            """;
    private static final String CLIP =
            """
            {"model_type": "clip", "architectures": ["CLIPForImageClassification"],
             "vision_config": %s}
            """
                    .formatted(IMAGE_SIDE);

    @TempDir private Path folder;

    private static ObjectNode config(String family) throws IOException {
        String text =
                switch (family) {
                    case "roberta" -> ROBERTA;
                    case "distilbert" -> DISTILBERT;
                    case "qwen2" -> QWEN2;
                    case "clip" -> CLIP;
                    case "zero-shot" ->
                            IMAGE_SIDE.replace(
                                    "{",
                                    "{\"architectures\": [\"CLIPVisionModelWithProjection\"],");
                    default -> T5;
                };
        return (ObjectNode) new JsonMapper().readTree(text);
    }

    @ParameterizedTest
    @CsvSource({
        "roberta, divmerge",
        "roberta, adamerging",
        "roberta, fisher",
        "roberta, regmean",
        "roberta, lot",
        "roberta, cat",
        "roberta, ties",
        "distilbert, divmerge",
        "distilbert, lot",
        "distilbert, task_arithmetic",
    })
    void classifiersOfOtherFamiliesAreMergedByEveryKindOfMethod(String family, String method)
            throws IOException {
        TinyPool pool = new TinyPool(folder, config(family));
        Path target = folder.resolve("out");

        MergeResult result =
                PoolMerger.merge(
                        pool.request(chosen(method), target, "spam", "hedges", "nouns"),
                        Progress.SILENT);

        if (method.equals("divmerge")) {
            DivMergeResult learnt = Objects.requireNonNull(result.learnt());
            assertThat(learnt.meanAfter()).isLessThan(learnt.meanBefore());
        }
        for (String task : TinyPool.TASKS) {
            Path view = target.resolve("tasks").resolve(task);
            try (Checkpoint merged = Checkpoint.open(view);
                    Checkpoint expert = Checkpoint.open(pool.expert(task));
                    TextTokenizer tokenizer = TextTokenizer.open(view);
                    RunningModel model = RunningModel.open(merged)) {
                assertThat(merged.tensors().keySet())
                        .containsExactlyElementsOf(expert.tensors().keySet());
                assertThat(model.ownHead().orElseThrow().labels())
                        .isEqualTo(TinyPool.LABELS.get(task));
                float[] logits =
                        model.logits(
                                null,
                                tokenizer.encode(List.of(new Example("w3 w7 w9", null, null)), 16));
                assertThat(logits).doesNotContain(Float.NaN);
            }
        }
        assertThat(Files.readString(target.resolve("config.json")))
                .contains(family.equals("roberta") ? "\"RobertaModel\"" : "\"DistilBertModel\"");
    }

    @ParameterizedTest
    @CsvSource({
        "qwen2, divmerge",
        "qwen2, adamerging",
        "qwen2, regmean",
        "qwen2, lot",
        "qwen2, cat",
        "qwen2, ties",
        "t5, divmerge",
        "t5, adamerging",
        "t5, regmean",
        "t5, lot",
        "t5, cat",
        "t5, ties",
    })
    void modelsThatGenerateAreMergedByEveryKindOfMethod(String family, String method)
            throws IOException {
        TinyPool pool = new TinyPool(folder, config(family));
        Path target = folder.resolve("out");

        MergeResult result =
                PoolMerger.merge(
                        pool.request(chosen(method), target, "spam", "hedges", "nouns"),
                        Progress.SILENT);

        if (method.equals("divmerge")) {
            DivMergeResult learnt = Objects.requireNonNull(result.learnt());
            assertThat(learnt.meanAfter()).isLessThan(learnt.meanBefore());
        }
        try (Checkpoint merged = Checkpoint.open(target);
                Checkpoint base = Checkpoint.open(pool.base());
                RunningModel model = RunningModel.open(merged)) {
            assertThat(merged.tensors().keySet())
                    .containsExactlyElementsOf(base.tensors().keySet());
            assertThat(model.config().architecture())
                    .isEqualTo(base.config().path("architectures").path(0).asText());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "t5"})
    void whatAnExpertAnsweredIsAskedForOnce(String family) throws IOException {
        TinyPool pool = new TinyPool(folder, config(family));
        PoolMerger.merge(
                pool.request(chosen("divmerge"), folder.resolve("out"), "spam", "hedges"),
                Progress.SILENT);
        Map<Path, Object> before = teachers();

        PoolMerger.merge(
                pool.request(chosen("divmerge"), folder.resolve("again"), "spam", "hedges"),
                Progress.SILENT);

        assertThat(
                        Files.mismatch(
                                folder.resolve("out/model.safetensors"),
                                folder.resolve("again/model.safetensors")))
                .isEqualTo(-1);
        assertThat(before).hasSize(2);
        assertThat(teachers()).isEqualTo(before);
    }

    /// Every entry with the file it is: one that is kept again is another file.
    private Map<Path, Object> teachers() throws IOException {
        Map<Path, Object> files = new HashMap<>();
        try (var entries = Files.list(folder.resolve("cache/teachers"))) {
            for (Path entry : entries.toList()) {
                files.put(entry, Files.getAttribute(entry, "unix:ino"));
            }
        }
        return files;
    }

    @ParameterizedTest
    @CsvSource({"qwen2, fisher", "qwen2, tatr", "t5, fisher"})
    void methodsThatTakeGradientsOfClassificationsSayThatThereAreNone(String family, String method)
            throws IOException {
        TinyPool pool = new TinyPool(folder, config(family));
        MergeMethod chosen =
                MergeMethod.of(
                        method, method.equals("tatr") ? Map.of("labels", "predicted") : Map.of());

        assertThatThrownBy(() ->
                        PoolMerger.merge(
                                pool.request(chosen, folder.resolve("out"), "spam", "hedges"),
                                Progress.SILENT))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("classifies nothing, and " + method + " takes gradients");
    }

    @Test
    void aTaskOfAnotherKindThanItsExpertIsRefused() throws IOException {
        TinyPool pool = new TinyPool(folder, config("qwen2"));
        Path definition = pool.taskFolder("spam").resolve("task.yaml");
        Files.writeString(
                definition,
                """
                name: spam
                labels: [LABEL_0, LABEL_1]
                calibration: calibration.jsonl
                validation: validation.jsonl
                """);

        assertThatThrownBy(() ->
                        PoolMerger.merge(
                                pool.request(
                                        chosen("divmerge"), folder.resolve("out"), "spam", "nouns"),
                                Progress.SILENT))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("task spam is to choose a label: expected kind: generation");
    }

    @ParameterizedTest
    @CsvSource({
        "clip, divmerge",
        "clip, regmean",
        "clip, fisher",
        "clip, tatr",
        "zero-shot, divmerge",
        "zero-shot, regmean",
        "zero-shot, fisher",
        "zero-shot, lot",
        "zero-shot, cat",
    })
    void imagesAreLearntFromThroughClassifiersAndThroughEmbeddingsOfTexts(
            String family, String method) throws IOException {
        TinyPool pool = new TinyPool(folder, config(family));
        Path target = folder.resolve("out");

        MergeResult result =
                PoolMerger.merge(
                        pool.request(chosen(method), target, "spam", "hedges", "nouns"),
                        Progress.SILENT);

        if (method.equals("divmerge")) {
            DivMergeResult learnt = Objects.requireNonNull(result.learnt());
            assertThat(learnt.meanAfter()).isLessThan(learnt.meanBefore());
        }
        Path view = target.resolve("tasks/nouns");
        try (Checkpoint shared = Checkpoint.open(target);
                Checkpoint expert = Checkpoint.open(pool.expert("nouns"));
                Checkpoint merged = Checkpoint.open(view);
                RunningModel model = RunningModel.open(merged)) {
            assertThat(shared.config().path("model_type").asText()).isEqualTo("clip_vision_model");
            assertThat(merged.tensors().keySet())
                    .containsExactlyElementsOf(expert.tensors().keySet());
            assertThat(model.ownHead().orElseThrow().labels()).isEqualTo(4);
        }
        assertThat(target.resolve("README.md"))
                .content()
                .contains(
                        family.equals("clip")
                                ? "AutoModelForImageClassification"
                                : "CLIPVisionModelWithProjection");
    }

    @Test
    void aTaskOfTextsForExpertsOfImagesIsRefused() throws IOException {
        TinyPool pool = new TinyPool(folder, config("clip"));
        Path definition = pool.taskFolder("spam").resolve("task.yaml");
        Files.writeString(
                definition,
                Files.readString(definition).replace("image_classification", "classification"));

        assertThatThrownBy(() ->
                        PoolMerger.merge(
                                pool.request(
                                        chosen("divmerge"), folder.resolve("out"), "spam", "nouns"),
                                Progress.SILENT))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("task spam is to choose a label: expected");
    }

    private static MergeMethod chosen(String method) {
        return MergeMethod.of(
                method,
                method.equals("divmerge") || method.equals("adamerging")
                        ? Map.of("max_steps", "20", "calibration_items", "10")
                        : Map.of());
    }
}
