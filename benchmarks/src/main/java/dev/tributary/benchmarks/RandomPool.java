package dev.tributary.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.models.Architecture;
import dev.tributary.models.ModelConfig;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.SplittableRandom;

/// Writes a base and experts of random weights in the shapes of a real model, a task of random
/// words for each, and a recipe that merges them by DivMerge: what `divmerge.sh` times.
public final class RandomPool {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final double WEIGHTS = 0.02;
    private static final double CHANGES = 0.002;
    private static final int LABELS = 3;

    /// Shapes of models, by the names that `peer_divmerge.py` has for them.
    private enum Preset {
        BERT_MINI(
                "bert-mini",
                Dtype.F32,
                """
                {"model_type": "bert", "architectures": ["BertForSequenceClassification"],
                 "hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4,
                 "intermediate_size": 1024, "vocab_size": 30522, "max_position_embeddings": 512,
                 "type_vocab_size": 2}
                """),
        BERT_BASE(
                "bert-base",
                Dtype.F32,
                """
                {"model_type": "bert", "architectures": ["BertForSequenceClassification"],
                 "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
                 "intermediate_size": 3072, "vocab_size": 30522, "max_position_embeddings": 512,
                 "type_vocab_size": 2}
                """),
        QWEN_MINI(
                "qwen-mini",
                Dtype.F32,
                """
                {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"],
                 "hidden_size": 256, "num_hidden_layers": 6, "num_attention_heads": 4,
                 "num_key_value_heads": 2, "intermediate_size": 1024, "vocab_size": 8192,
                 "max_position_embeddings": 512, "tie_word_embeddings": true}
                """),
        QWEN(
                "qwen2.5-0.5b",
                Dtype.BF16,
                """
                {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"],
                 "hidden_size": 896, "num_hidden_layers": 24, "num_attention_heads": 14,
                 "num_key_value_heads": 2, "intermediate_size": 4864, "vocab_size": 151936,
                 "max_position_embeddings": 512, "tie_word_embeddings": true}
                """);

        private final String id;
        private final Dtype dtype;
        private final String config;

        Preset(String id, Dtype dtype, String config) {
            this.id = id;
            this.dtype = dtype;
            this.config = config;
        }

        static Preset of(String id) {
            for (Preset preset : values()) {
                if (preset.id.equals(id)) {
                    return preset;
                }
            }
            throw new IllegalArgumentException("no preset '%s'".formatted(id));
        }
    }

    private final Preset preset;
    private final Path folder;
    private final ModelConfig config;
    private final Architecture architecture;

    private RandomPool(Preset preset, Path folder) throws IOException {
        this.preset = preset;
        this.folder = folder;
        this.config = ModelConfig.of(JSON.readTree(preset.config), preset.id);
        this.architecture = Architecture.of(config);
    }

    /// Takes PRESET EXPERTS SAMPLES TOKENS ANSWER OUT: so many inputs a task, of so many tokens
    /// with the answer, of which so many are the answer where texts are generated.
    public static void main(String[] args) throws IOException {
        RandomPool pool = new RandomPool(Preset.of(args[0]), Path.of(args[5]));
        pool.write(
                Integer.parseInt(args[1]),
                Integer.parseInt(args[2]),
                Integer.parseInt(args[3]),
                Integer.parseInt(args[4]));
    }

    private void write(int experts, int samples, int tokens, int answer) throws IOException {
        checkpoint(0);
        StringBuilder models = new StringBuilder();
        StringBuilder tasks = new StringBuilder();
        for (int expert = 1; expert <= experts; expert++) {
            checkpoint(expert);
            task(expert, samples, config.generates() ? tokens - answer : tokens, answer);
            models.append("  - model: expert%d%n".formatted(expert));
            tasks.append("  expert%d: task%d%n".formatted(expert, expert));
        }
        Files.writeString(
                folder.resolve("recipe.yaml"),
                """
                merge_method: divmerge
                base_model: base
                models:
                %stasks:
                %sparameters:
                  granularity: layer
                  calibration_items: %d
                  samples_per_step: %d
                  evaluate_every: 1000
                  max_steps: 0
                """
                        .formatted(models, tasks, samples, samples));
    }

    /// @param number 0 for the base
    private void checkpoint(int number) throws IOException {
        Path target =
                Files.createDirectories(folder.resolve(number == 0 ? "base" : "expert" + number));
        SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>(architecture.trunk());
        shapes.putAll(architecture.classifier(LABELS));
        ObjectNode described = (ObjectNode) JSON.readTree(preset.config);
        if (!config.generates()) {
            ObjectNode names = described.putObject("id2label");
            for (int label = 0; label < LABELS; label++) {
                names.put(Integer.toString(label), "LABEL_" + label);
            }
        }
        Files.writeString(target.resolve("config.json"), described.toString());
        Files.writeString(target.resolve("tokenizer.json"), tokenizer());
        List<TensorSpec> specs = new ArrayList<>();
        Map<String, String> canonical = new HashMap<>();
        shapes.forEach((name, shape) -> {
            String file = architecture.classifierName(name);
            specs.add(new TensorSpec(file, preset.dtype, shape));
            canonical.put(file, name);
        });
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        target.resolve("model.safetensors"), specs, CheckpointWriter.PYTORCH)) {
            for (String file : writer.tensors().keySet()) {
                String name = Objects.requireNonNull(canonical.get(file));
                long count =
                        Objects.requireNonNull(shapes.get(name)).stream()
                                .reduce(1L, Math::multiplyExact);
                writer.write(file, values(name, Math.toIntExact(count), number));
            }
            writer.finish();
        }
    }

    private MemorySegment values(String name, int count, int number) {
        SplittableRandom random = new SplittableRandom(name.hashCode());
        SplittableRandom changes = new SplittableRandom(name.hashCode() + 7919L * number);
        boolean gain = count <= 4096 && name.endsWith("weight");
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            double change = number == 0 ? 0 : CHANGES * changes.nextGaussian();
            values[i] = (float) ((gain ? 1 : 0) + WEIGHTS * random.nextGaussian() + change);
        }
        MemorySegment bytes = MemorySegment.ofArray(new byte[count * preset.dtype.bytes()]);
        Kernels.narrow(MemorySegment.ofArray(values), preset.dtype, bytes, count);
        return bytes;
    }

    private void task(int number, int samples, int words, int answer) throws IOException {
        Path target = Files.createDirectories(folder.resolve("task" + number));
        String asked =
                config.generates()
                        ? "kind: generation\nmetric: rouge1\nprompt: \"{text}\"\nmax_new_tokens: %d"
                                .formatted(answer)
                        : "labels: [LABEL_0, LABEL_1, LABEL_2]";
        Files.writeString(
                target.resolve("task.yaml"),
                """
                name: task%d
                max_tokens: 512
                train: train.jsonl
                %s
                """
                        .formatted(number, asked));
        SplittableRandom random = new SplittableRandom(number);
        StringBuilder lines = new StringBuilder();
        for (int sample = 0; sample < samples; sample++) {
            lines.append("{\"text\": \"");
            for (int word = 0; word < words; word++) {
                lines.append(word == 0 ? "w" : " w").append(3 + random.nextInt(vocabulary() - 3));
            }
            lines.append("\", \"label\": \"LABEL_0\"}\n");
        }
        Files.writeString(target.resolve("train.jsonl"), lines);
    }

    private int vocabulary() {
        return config.vocabulary();
    }

    private String tokenizer() throws IOException {
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
        ObjectNode words = model.putObject("vocab");
        words.put("[PAD]", 0).put("[UNK]", 1).put("[END]", 2);
        for (int id = 3; id < vocabulary(); id++) {
            words.put("w" + id, id);
        }
        return JSON.writeValueAsString(root);
    }
}
