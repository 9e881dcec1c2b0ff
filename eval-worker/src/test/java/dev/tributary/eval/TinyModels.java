package dev.tributary.eval;

import dev.tributary.models.Scorer;
import dev.tributary.models.Scores;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.ArtifactStore;
import dev.tributary.tensors.Checkpoint;
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
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Writes BERT checkpoints of some thousand random weights into a store, tasks whose right answers
/// are what such an expert says, and generations that are as good as their experts or worse.
public final class TinyModels {

    private static final int HIDDEN = 32;
    private static final int INTERMEDIATE = 48;
    private static final int LAYERS = 2;
    private static final int WORDS = 60;
    private static final int SPECIAL_TOKENS = 4;
    private static final float SPREAD = 0.25f;
    private static final List<String> LABELS = List.of("no", "yes");

    private final ArtifactStore store;
    private final Map<Long, Float> shifts = new HashMap<>();

    public TinyModels(ArtifactStore store) {
        this.store = store;
    }

    /// What a generation has made of an expert.
    public enum Variant {
        /// The very weights of the expert.
        SAME,
        /// The same but for the least bits: as good, with answers a little less or more sure.
        CLOSE,
        /// Says no where the expert says yes.
        NEGATED,
        /// Some of its weights are no numbers.
        NOT_FINITE,
        /// Its file ends too early.
        TRUNCATED
    }

    /// An expert; another seed, another expert.
    public ArtifactReference expert(long seed) {
        return publish(
                "checkpoints/" + "%064x".formatted(seed), folder -> write(folder, weights(seed)));
    }

    /// A generation with one task's folder for each entry, every one made from the expert of its
    /// seed.
    public ArtifactReference generation(String path, Map<String, Made> tasks) {
        return publish(
                path,
                folder -> {
                    Files.writeString(folder.resolve("README.md"), "a generation");
                    for (Map.Entry<String, Made> task : tasks.entrySet()) {
                        Path view =
                                Files.createDirectories(
                                        folder.resolve("tasks").resolve(task.getKey()));
                        make(view, task.getValue());
                    }
                });
    }

    /// From which expert, and how.
    public record Made(long seed, Variant variant) {}

    /// A task whose right answers are those of an expert.
    public ArtifactReference task(String name, long seed, int items) {
        List<String> texts = texts(name, items);
        try (Staging staging = store.stage()) {
            Path source = Files.createTempDirectory("task");
            writeTask(source, name, texts, i -> i % 2);
            int[] answers = answers(source, seed);
            writeTask(source, name, texts, i -> answers[i]);
            TaskDefinition.read(source).stage(staging.directory(), 8);
            return store.publishByDigest(staging, "tasks");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private int[] answers(Path task, long seed) {
        try (Checkpoint expert = Checkpoint.open(store.open(expert(seed)))) {
            Scores scores = Scorer.score(expert, TaskDefinition.read(task), Split.VALIDATION);
            return scores.predicted();
        }
    }

    private static List<String> texts(String name, int items) {
        Random random = new Random(name.hashCode());
        return IntStream.range(0, items)
                .mapToObj(_ ->
                        random.ints(6, 0, WORDS)
                                .mapToObj(word -> "w" + word)
                                .collect(Collectors.joining(" ")))
                .toList();
    }

    private static void writeTask(
            Path folder, String name, List<String> texts, IntFunction<Integer> label)
            throws IOException {
        Files.writeString(
                folder.resolve("task.yaml"),
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
        Files.writeString(
                folder.resolve("calibration.jsonl"),
                texts.stream()
                        .limit(8)
                        .map("{\"text\": \"not %s\"}%n"::formatted)
                        .collect(Collectors.joining()));
        Files.writeString(
                folder.resolve("validation.jsonl"),
                IntStream.range(0, texts.size())
                        .mapToObj(i ->
                                "{\"text\": \"%s\", \"label\": \"%s\"}%n"
                                        .formatted(texts.get(i), LABELS.get(label.apply(i))))
                        .collect(Collectors.joining()));
    }

    private interface Content {
        void writeTo(Path folder) throws IOException;
    }

    private ArtifactReference publish(String path, Content content) {
        try (Staging staging = store.stage()) {
            content.writeTo(staging.directory());
            return store.publish(staging, path);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void make(Path folder, Made made) throws IOException {
        SequencedMap<String, float[]> weights = weights(made.seed());
        float[] head = Objects.requireNonNull(weights.get("classifier.weight"));
        float[] bias = Objects.requireNonNull(weights.get("classifier.bias"));
        switch (made.variant()) {
            case SAME, TRUNCATED -> {}
            case CLOSE -> scale(head, 1.01f);
            case NEGATED -> {
                scale(head, -1);
                scale(bias, -1);
            }
            case NOT_FINITE -> head[3] = Float.NaN;
        }
        write(folder, weights);
        if (made.variant() == Variant.TRUNCATED) {
            Path file = folder.resolve("model.safetensors");
            byte[] bytes = Files.readAllBytes(file);
            Files.write(file, Arrays.copyOf(bytes, bytes.length - 100));
        }
    }

    private static void scale(float[] values, float factor) {
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
    }

    /// The weights of an expert that says yes to about half of all texts.
    private SequencedMap<String, float[]> weights(long seed) {
        SequencedMap<String, float[]> weights = random(seed);
        float shift = shifts.computeIfAbsent(seed, _ -> medianLogOdds(weights));
        weights.put("classifier.bias", new float[] {shift, 0});
        return weights;
    }

    private static float medianLogOdds(SequencedMap<String, float[]> weights) {
        try {
            Path folder = Files.createTempDirectory("expert");
            write(folder, weights);
            writeTask(folder, "probe", texts("probe", 41), _ -> 0);
            try (Checkpoint expert = Checkpoint.open(folder)) {
                float[] logs =
                        Scorer.score(expert, TaskDefinition.read(folder), Split.VALIDATION)
                                .logProbabilities();
                double[] odds =
                        IntStream.range(0, 41)
                                .mapToDouble(i -> logs[2 * i + 1] - logs[2 * i])
                                .sorted()
                                .toArray();
                return (float) odds[20];
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static SequencedMap<String, float[]> random(long seed) {
        Random random = new Random(seed);
        SequencedMap<String, float[]> values = new TreeMap<>();
        for (Map.Entry<String, List<Long>> tensor : shapes().entrySet()) {
            if (tensor.getKey().equals("classifier.bias")) {
                values.put(tensor.getKey(), new float[LABELS.size()]);
                continue;
            }
            long elements = tensor.getValue().stream().reduce(1L, Math::multiplyExact);
            float centre = tensor.getKey().endsWith("LayerNorm.weight") ? 1 : 0;
            float spread = spread(tensor.getKey());
            float[] weights = new float[(int) elements];
            for (int i = 0; i < weights.length; i++) {
                weights[i] = centre + spread * (float) random.nextGaussian();
            }
            values.put(tensor.getKey(), weights);
        }
        return values;
    }

    /// Large where words come in, so that answers differ from text to text.
    private static float spread(String tensor) {
        if (tensor.endsWith(".bias") || tensor.contains("position")) {
            return SPREAD / 10;
        }
        return tensor.contains("attention") || tensor.contains("word") ? 4 * SPREAD : SPREAD;
    }

    private static SequencedMap<String, List<Long>> shapes() {
        long hidden = HIDDEN;
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
        dense(shapes, "classifier", LABELS.size(), hidden);
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

    private static void write(Path folder, SequencedMap<String, float[]> values)
            throws IOException {
        Files.writeString(folder.resolve("config.json"), config());
        Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
        List<TensorSpec> specs = new ArrayList<>();
        shapes().forEach((name, shape) -> specs.add(new TensorSpec(name, Dtype.F32, shape)));
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        folder.resolve("model.safetensors"), specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                writer.write(name, MemorySegment.ofArray(Objects.requireNonNull(values.get(name))));
            }
            writer.finish();
        }
    }

    private static String config() {
        return """
        {"architectures": ["BertForSequenceClassification"], "model_type": "bert",
         "hidden_act": "gelu", "hidden_size": %d, "intermediate_size": %d,
         "num_hidden_layers": %d, "num_attention_heads": 4, "layer_norm_eps": 1e-12,
         "max_position_embeddings": 24, "type_vocab_size": 2, "vocab_size": %d,
         "pad_token_id": 0, "torch_dtype": "float32", "id2label": {"0": "no", "1": "yes"}}
        """
                .formatted(HIDDEN, INTERMEDIATE, LAYERS, WORDS + SPECIAL_TOKENS);
    }

    private static String tokenizer() {
        List<String> special = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]");
        String added =
                IntStream.range(0, special.size())
                        .mapToObj(i ->
                                """
                                {"id": %d, "content": "%s", "single_word": false,
                                 "lstrip": false, "rstrip": false, "normalized": false,
                                 "special": true}\
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
}
