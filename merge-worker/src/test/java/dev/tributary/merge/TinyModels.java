package dev.tributary.merge;

import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.ArtifactStore;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Staging;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Writes BERT checkpoints of some thousand random weights, and tasks for them, into a store.
final class TinyModels {
    private static final int HIDDEN = 32;
    private static final int INTERMEDIATE = 48;
    private static final int LAYERS = 2;
    private static final int WORDS = 60;
    private static final int SPECIAL_TOKENS = 4;
    private static final int CALIBRATION_ITEMS = 8;
    private static final float SPREAD = 0.2f;
    private static final float EXPERT_SPREAD = 0.05f;

    private final ArtifactStore store;
    private final ArtifactReference base;

    TinyModels(ArtifactStore store) {
        this.store = store;
        this.base = artifact(folder -> write(folder, trunk(HIDDEN, 1), 0, HIDDEN));
    }

    /// The base of all experts.
    ArtifactReference base() {
        return base;
    }

    /// An expert with two labels; another seed, another expert.
    ArtifactReference expert(long seed) {
        return expert(seed, 2, values -> {});
    }

    /// An expert with this many labels and with weights changed at will.
    ArtifactReference expert(long seed, int labels, Consumer<Map<String, float[]>> change) {
        return artifact(folder -> write(folder, tuned(seed, labels, change), labels, HIDDEN));
    }

    /// An expert of a wider model.
    ArtifactReference wider(long seed) {
        int hidden = 2 * HIDDEN;
        SequencedMap<String, float[]> values = trunk(hidden, seed);
        head(values, 2, hidden, new Random(seed));
        return artifact(folder -> write(folder, values, 2, hidden));
    }

    /// An expert whose file ends too early.
    ArtifactReference truncated(long seed) {
        return artifact(folder -> {
            write(folder, tuned(seed, 2, values -> {}), 2, HIDDEN);
            Path file = folder.resolve("model.safetensors");
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, java.util.Arrays.copyOf(bytes, bytes.length - 100));
        });
    }

    /// A task with two labels, staged for workers.
    ArtifactReference task(String name) {
        try (Staging staging = store.stage()) {
            Path source = Files.createTempDirectory("task");
            Files.writeString(
                    source.resolve("task.yaml"),
                    """
                    name: %s
                    kind: classification
                    metric: accuracy
                    labels: ["no", "yes"]
                    max_tokens: 16
                    calibration: calibration.jsonl
                    validation: validation.jsonl
                    """
                            .formatted(name));
            Random random = new Random(name.hashCode());
            Files.writeString(source.resolve("calibration.jsonl"), examples(random, false));
            Files.writeString(source.resolve("validation.jsonl"), examples(random, true));
            TaskDefinition.read(source).stage(staging.directory(), CALIBRATION_ITEMS);
            return store.publishByDigest(staging, "tasks");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private interface Content {
        void writeTo(Path folder) throws IOException;
    }

    private ArtifactReference artifact(Content content) {
        try (Staging staging = store.stage()) {
            content.writeTo(staging.directory());
            return store.publishByDigest(staging, "checkpoints");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static SequencedMap<String, float[]> tuned(
            long seed, int labels, Consumer<Map<String, float[]>> change) {
        Random random = new Random(seed);
        SequencedMap<String, float[]> values = trunk(HIDDEN, 1);
        for (float[] tensor : values.values()) {
            for (int i = 0; i < tensor.length; i++) {
                tensor[i] += EXPERT_SPREAD * (float) random.nextGaussian();
            }
        }
        head(values, labels, HIDDEN, random);
        change.accept(values);
        return values;
    }

    private static SequencedMap<String, float[]> trunk(int hidden, long seed) {
        Random random = new Random(seed);
        SequencedMap<String, float[]> values = new TreeMap<>();
        for (Map.Entry<String, List<Long>> tensor : shapes(hidden).entrySet()) {
            long elements = tensor.getValue().stream().reduce(1L, Math::multiplyExact);
            float centre = tensor.getKey().endsWith("LayerNorm.weight") ? 1 : 0;
            values.put(tensor.getKey(), gaussian(random, (int) elements, centre));
        }
        return values;
    }

    private static void head(Map<String, float[]> values, int labels, int hidden, Random random) {
        values.put("classifier.weight", gaussian(random, labels * hidden, 0));
        values.put("classifier.bias", gaussian(random, labels, 0));
    }

    private static float[] gaussian(Random random, int elements, float centre) {
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = centre + SPREAD * (float) random.nextGaussian();
        }
        return values;
    }

    private static SequencedMap<String, List<Long>> shapes(long hidden) {
        long vocabulary = WORDS + SPECIAL_TOKENS;
        SequencedMap<String, List<Long>> shapes = new TreeMap<>();
        shapes.put("bert.embeddings.word_embeddings.weight", List.of(vocabulary, hidden));
        shapes.put("bert.embeddings.position_embeddings.weight", List.of(24L, hidden));
        shapes.put("bert.embeddings.token_type_embeddings.weight", List.of(2L, hidden));
        norm(shapes, "bert.embeddings.LayerNorm", hidden);
        for (int layer = 0; layer < LAYERS; layer++) {
            String prefix = "bert.encoder.layer.%d.".formatted(layer);
            for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
                dense(shapes, prefix + "attention." + part, hidden, hidden);
            }
            norm(shapes, prefix + "attention.output.LayerNorm", hidden);
            dense(shapes, prefix + "intermediate.dense", INTERMEDIATE, hidden);
            dense(shapes, prefix + "output.dense", hidden, INTERMEDIATE);
            norm(shapes, prefix + "output.LayerNorm", hidden);
        }
        dense(shapes, "bert.pooler.dense", hidden, hidden);
        return shapes;
    }

    private static void dense(Map<String, List<Long>> shapes, String name, long out, long in) {
        shapes.put(name + ".weight", List.of(out, in));
        shapes.put(name + ".bias", List.of(out));
    }

    private static void norm(Map<String, List<Long>> shapes, String name, long hidden) {
        shapes.put(name + ".weight", List.of(hidden));
        shapes.put(name + ".bias", List.of(hidden));
    }

    private static void write(
            Path folder, SequencedMap<String, float[]> values, int labels, int hidden)
            throws IOException {
        Files.writeString(folder.resolve("config.json"), config(labels, hidden));
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
        Map<String, List<Long>> shapes = shapes(hidden);
        shapes.put("classifier.weight", List.of((long) labels, (long) hidden));
        shapes.put("classifier.bias", List.of((long) labels));
        List<TensorSpec> specs = new ArrayList<>();
        values.keySet()
                .forEach(name ->
                        specs.add(
                                new TensorSpec(
                                        name,
                                        Dtype.F32,
                                        Objects.requireNonNull(shapes.get(name)))));
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        folder.resolve("model.safetensors"), specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                writer.write(name, MemorySegment.ofArray(Objects.requireNonNull(values.get(name))));
            }
            writer.finish();
        }
    }

    private static String config(int labels, int hidden) {
        String id2label =
                IntStream.range(0, labels)
                        .mapToObj("\"%1$d\": \"LABEL_%1$d\""::formatted)
                        .collect(Collectors.joining(", "));
        return """
        {"architectures": ["%s"], "model_type": "bert", "hidden_act": "gelu",
         "hidden_size": %d, "intermediate_size": %d, "num_hidden_layers": %d,
         "num_attention_heads": 4, "layer_norm_eps": 1e-12, "max_position_embeddings": 24,
         "type_vocab_size": 2, "vocab_size": %d, "pad_token_id": 0, "torch_dtype": "float32"%s}
        """
                .formatted(
                        labels == 0 ? "BertModel" : "BertForSequenceClassification",
                        hidden,
                        INTERMEDIATE,
                        LAYERS,
                        WORDS + SPECIAL_TOKENS,
                        labels == 0 ? "" : ", \"id2label\": {" + id2label + "}");
    }

    private static String tokenizer() {
        List<String> special = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]");
        String added =
                IntStream.range(0, special.size())
                        .mapToObj(i ->
                                """
                                {"id": %d, "content": "%s", "single_word": false, "lstrip": false,
                                 "rstrip": false, "normalized": false, "special": true}\
                                """
                                        .formatted(i, special.get(i)))
                        .collect(Collectors.joining(","));
        List<String> words = new ArrayList<>(special);
        IntStream.range(0, WORDS).forEach(i -> words.add("w" + i));
        String vocabulary =
                IntStream.range(0, words.size())
                        .mapToObj(i -> "\"%s\": %d".formatted(words.get(i), i))
                        .collect(Collectors.joining(", "));
        return """
        {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [%s],
         "normalizer": null, "pre_tokenizer": {"type": "Whitespace"},
         "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
         "decoder": null,
         "model": {"type": "WordLevel", "vocab": {%s}, "unk_token": "[UNK]"}}
        """
                .formatted(added, vocabulary);
    }

    private static String examples(Random random, boolean labelled) {
        return IntStream.range(0, CALIBRATION_ITEMS)
                .mapToObj(i -> {
                    String text =
                            random.ints(6, 0, WORDS)
                                    .mapToObj(word -> "w" + word)
                                    .collect(Collectors.joining(" "));
                    String label = labelled ? i % 2 == 0 ? "yes" : "no" : "";
                    return labelled
                            ? "{\"text\": \"%s\", \"label\": \"%s\"}%n".formatted(text, label)
                            : "{\"text\": \"%s\"}%n".formatted(text);
                })
                .collect(Collectors.joining());
    }
}
