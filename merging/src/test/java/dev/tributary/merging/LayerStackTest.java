package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Layers of several models, one upon the other.
class LayerStackTest {
    @TempDir private Path folder;

    private void model(String name, int layers, long width, float value) {
        StringBuilder kinds = new StringBuilder();
        TinyCheckpoint model =
                new TinyCheckpoint()
                        .with("model.embed_tokens.weight", Dtype.F32, List.of(1L, 2L), value, value)
                        .with("model.norm.weight", value);
        for (int layer = 0; layer < layers; layer++) {
            float[] values = new float[(int) width];
            java.util.Arrays.fill(values, value + layer);
            model.with("model.layers.%d.o_proj.weight".formatted(layer), values);
            model.with("model.layers.%d.norm.weight".formatted(layer), value + layer + 0.5f);
            kinds.append(layer == 0 ? "" : ",").append("\"%s%d\"".formatted(name, layer));
        }
        model.config(
                "{\"model_type\": \"arrows\", \"num_hidden_layers\": %d, \"layer_types\": [%s]}"
                        .formatted(layers, kinds));
        model.write(folder.resolve(name));
    }

    private Path recipe(String slices) {
        Path file = folder.resolve("recipe.yml");
        TinyPool.write(file, "merge_method: passthrough\nslices:\n" + slices);
        return file;
    }

    @Test
    void layersAreNumberedAnewAndTheConfigurationSaysSo() throws IOException {
        model("one", 4, 2, 10);
        model("two", 3, 2, 20);
        Path recipe =
                recipe(
                        """
                          - sources:
                              - {model: one, layer_range: [0, 2]}
                          - sources:
                              - model: two
                                layer_range: [1, 3]
                                parameters: {scale: [{filter: o_proj, value: 0.5}, {value: 1}]}
                          - sources:
                              - {model: one, layer_range: [1, 2]}
                        """);
        Path merged = Files.createDirectories(folder.resolve("merged"));
        PoolMerger.merge(
                MergeRequest.of(Recipe.read(recipe), folder.resolve("cache"), merged),
                Progress.SILENT);
        Map<String, float[]> values = Golden.tensors(merged.resolve("model.safetensors")).byName();
        assertThat(values).hasSize(12);
        assertThat(values.get("model.embed_tokens.weight")).containsOnly(10);
        assertThat(values.get("model.layers.1.o_proj.weight")).containsOnly(11);
        assertThat(values.get("model.layers.2.o_proj.weight")).containsOnly(10.5f);
        assertThat(values.get("model.layers.2.norm.weight")).containsOnly(21.5f);
        assertThat(values.get("model.layers.4.norm.weight")).containsOnly(11.5f);
        assertThat(values.get("model.norm.weight")).containsOnly(10);
        JsonNode config =
                new ObjectMapper().readTree(Files.readString(merged.resolve("config.json")));
        assertThat(config.path("num_hidden_layers").asInt()).isEqualTo(5);
        assertThat(config.path("layer_types"))
                .extracting(JsonNode::asText)
                .containsExactly("one0", "one1", "two1", "two2", "one1");
    }

    @Test
    void layersThatAreNotThereOrDoNotFitAreNamed() {
        model("one", 4, 2, 10);
        model("two", 3, 5, 20);
        Path recipe =
                recipe(
                        """
                          - sources:
                              - {model: one, layer_range: [0, 2]}
                          - sources:
                              - {model: two, layer_range: [0, 1]}
                          - sources:
                              - {model: one, layer_range: [2, 9]}
                        """);
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> PoolMerger.plan(Recipe.read(recipe)));
        assertThat(refused.faults())
                .extracting(Fault::toString)
                .containsExactlyInAnyOrder(
                        "[two model.layers.0.o_proj.weight] has shape [5], expected [2] as in the"
                                + " layers below",
                        "[one] has 4 layers, so it cannot give layers 2 to 8");
    }

    @Test
    void embeddingsAndOutputOfDifferentVocabulariesAreRefused() {
        model("one", 4, 2, 10);
        model("two", 3, 2, 20);
        TinyPool.write(folder.resolve("one/vocab.txt"), "a\nb\nc\n");
        TinyPool.write(folder.resolve("two/vocab.txt"), "a\nd\nc\n");
        Path recipe =
                recipe(
                        """
                          - sources:
                              - {model: one, layer_range: [0, 2]}
                          - sources:
                              - {model: two, layer_range: [0, 1]}
                        """);
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> PoolMerger.plan(Recipe.read(recipe)));
        assertThat(refused.faults())
                .extracting(Fault::toString)
                .containsExactly(
                        "[two] gives the output but has other tokens than one, which gives the"
                                + " embeddings: token 1 is 'd' here and 'b' there");
    }

    @Test
    void layersOfAnotherBuildAreRefused() {
        model("one", 2, 2, 10);
        new TinyCheckpoint()
                .config(
                        "{\"model_type\": \"bows\", \"num_hidden_layers\": 2, \"rms_norm_eps\": 1,"
                                + " \"rope_theta\": 9, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}}")
                .with("model.layers.0.o_proj.weight", 1, 2)
                .with("model.layers.0.o_proj.bias", 1)
                .with("model.layers.1.o_proj.weight", 1, 2)
                .with("model.layers.1.norm.weight", 1)
                .write(folder.resolve("two"));
        new TinyCheckpoint()
                .config(
                        "{\"model_type\": \"arrows\", \"num_hidden_layers\": 7, \"rms_norm_eps\": 1.0,"
                                + " \"rope_parameters\": {\"rope_type\": \"linear\", \"rope_theta\": 9.0, \"factor\": 2}}")
                .with("model.layers.0.o_proj.weight", 1, 2)
                .with("model.layers.0.norm.weight", 1)
                .write(folder.resolve("three"));
        assertThat(
                        faults(
                                recipe(
                                        """
                                          - sources:
                                              - {model: one, layer_range: [0, 2]}
                                          - sources:
                                              - {model: two, layer_range: [0, 2]}
                                          - sources:
                                              - {model: three, layer_range: [0, 1]}
                                        """)))
                .containsExactlyInAnyOrder(
                        "[two config.json] model_type is \"bows\", expected \"arrows\" as in one: layers"
                                + " of another build do not fit between its own",
                        "[two] has other tensors in layer 0 than one has in its layers: without"
                                + " [.norm.weight] with [.o_proj.bias]");
        assertThat(
                        faults(
                                recipe(
                                        """
                                          - sources:
                                              - {model: two, layer_range: [1, 2]}
                                          - sources:
                                              - {model: three, layer_range: [0, 1]}
                                        """)))
                .containsExactlyInAnyOrder(
                        "[three config.json] model_type is \"arrows\", expected \"bows\" as in two: layers"
                                + " of another build do not fit between its own",
                        "[three config.json] factor is 2, expected 4 as in two: layers of another"
                                + " build do not fit between its own");
    }

    @Test
    void whatAStackCannotHeedIsRefused() {
        model("one", 2, 2, 10);
        model("two", 2, 2, 20);
        Path recipe =
                recipe(
                        """
                          - sources:
                              - {model: one, layer_range: [0, 2]}
                          - sources:
                              - {model: two, layer_range: [0, 1]}
                        base_model: two
                        """);
        assertThat(faults(recipe))
                .containsExactly(
                        "[recipe.yml base_model] is not the first slice's model, from which a stack has"
                                + " its configuration and tokenizer: expected that one, or no"
                                + " base_model");
        Path excluding =
                recipe(
                        """
                          - sources:
                              - {model: one, layer_range: [0, 2]}
                        base_model: one
                        exclude: ["*norm*"]
                        """);
        assertThat(faults(excluding))
                .containsExactly(
                        "[include, exclude] say which tensors are merged, but passthrough of layers"
                                + " copies all of them: remove both");
    }

    private static List<String> faults(Path recipe) {
        return catchThrowableOfType(
                        RefusedException.class, () -> PoolMerger.plan(Recipe.read(recipe)))
                .faults()
                .stream()
                .map(Fault::toString)
                .toList();
    }
}
