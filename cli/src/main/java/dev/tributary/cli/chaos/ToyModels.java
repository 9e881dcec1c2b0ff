package dev.tributary.cli.chaos;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.models.Architecture;
import dev.tributary.models.ModelConfig;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.Staging;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;

/// Encoders of a few thousand random weights, which merge in milliseconds: a campaign is about
/// processes, not about models.
final class ToyModels {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int WORDS = 40;
    private static final int SPECIAL = 3;
    private static final int ITEMS = 12;
    private static final double SPREAD = 0.2;
    private static final List<String> LABELS = List.of("ham", "spam");
    private static final String CONFIG =
            """
            {"model_type": "roberta", "hidden_size": 16,
             "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16,
             "vocab_size": 40, "max_position_embeddings": 18, "type_vocab_size": 1,
             "layer_norm_eps": 1e-5, "pad_token_id": 1}
            """;

    private final FolderArtifactStore store;

    ToyModels(FolderArtifactStore store) {
        this.store = store;
    }

    /// The base of all pools.
    ArtifactReference base() {
        return checkpoint(0, false);
    }

    /// An expert; another number, another expert.
    ArtifactReference expert(long number) {
        return checkpoint(number, true);
    }

    /// A task to tell two labels apart.
    ArtifactReference task(String name) {
        try (Staging staging = store.stage()) {
            Path source = Files.createTempDirectory("tributary-chaos");
            Files.writeString(
                    source.resolve("task.yaml"),
                    """
                    name: %s
                    labels: [%s]
                    max_tokens: 16
                    train: examples.jsonl
                    validation: examples.jsonl
                    """
                            .formatted(name, String.join(", ", LABELS)));
            Files.writeString(source.resolve("examples.jsonl"), examples(name.hashCode()));
            TaskDefinition.read(source).stage(staging.directory(), ITEMS);
            return store.publishByDigest(staging, "tasks");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String examples(int seed) {
        Random random = new Random(seed);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < ITEMS; i++) {
            String text =
                    random.ints(5, SPECIAL, WORDS)
                            .mapToObj(word -> "w" + word)
                            .collect(Collectors.joining(" "));
            ObjectNode line = JSON.createObjectNode();
            line.put("text", text).put("label", LABELS.get(i % LABELS.size()));
            lines.append(line).append('\n');
        }
        return lines.toString();
    }

    private ArtifactReference checkpoint(long seed, boolean expert) {
        try (Staging staging = store.stage()) {
            Path folder = staging.directory();
            ObjectNode config = (ObjectNode) JSON.readTree(CONFIG);
            config.putArray("architectures")
                    .add(expert ? "RobertaForSequenceClassification" : "RobertaModel");
            if (expert) {
                ObjectNode names = config.putObject("id2label");
                for (int label = 0; label < LABELS.size(); label++) {
                    names.put(Integer.toString(label), LABELS.get(label));
                }
            }
            Files.writeString(folder.resolve("config.json"), config.toString());
            Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
            write(folder.resolve("model.safetensors"), shapes(config, expert), new Random(seed));
            return store.publishByDigest(staging, "checkpoints");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, List<Long>> shapes(JsonNode config, boolean expert) {
        Architecture architecture = Architecture.of(ModelConfig.of(config, "config.json"));
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        architecture
                .trunk()
                .forEach((name, shape) -> {
                    if (!architecture.optional(name)) {
                        shapes.put(architecture.classifierName(name), shape);
                    }
                });
        if (expert) {
            shapes.putAll(architecture.classifier(LABELS.size()));
        }
        return shapes;
    }

    private static void write(Path file, Map<String, List<Long>> shapes, Random random) {
        List<TensorSpec> specs = new ArrayList<>();
        shapes.forEach((name, shape) -> specs.add(new TensorSpec(name, Dtype.F32, shape)));
        try (CheckpointWriter writer =
                CheckpointWriter.create(file, specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                List<Long> shape = Objects.requireNonNull(shapes.get(name));
                float[] values =
                        new float[Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact))];
                for (int i = 0; i < values.length; i++) {
                    values[i] = (float) (SPREAD * random.nextGaussian());
                }
                writer.write(name, MemorySegment.ofArray(values));
            }
            writer.finish();
        }
    }

    private static String tokenizer() throws IOException {
        ObjectNode root =
                (ObjectNode)
                        JSON.readTree(
                                """
                                {"version": "1.0", "truncation": null, "padding": null,
                                 "added_tokens": [], "normalizer": null, "decoder": null,
                                 "pre_tokenizer": {"type": "WhitespaceSplit"},
                                 "post_processor": null}
                                """);
        ObjectNode model = root.putObject("model");
        model.put("type", "WordLevel").put("unk_token", "[UNK]");
        ObjectNode vocabulary = model.putObject("vocab");
        vocabulary.put("[PAD]", 0).put("[UNK]", 1).put("[END]", 2);
        for (int id = SPECIAL; id < WORDS; id++) {
            vocabulary.put("w" + id, id);
        }
        return root.toString();
    }
}
