package dev.tributary.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.models.Architecture;
import dev.tributary.models.ModelConfig;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.TensorSpec;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;

/// A base of some thousand random weights, with a tokenizer of made-up words, and tasks for it.
enum TinyFamily {
    ROBERTA(
            """
            {"model_type": "roberta", "architectures": ["RobertaModel"],
             "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 48, "vocab_size": 64, "max_position_embeddings": 34,
             "type_vocab_size": 1, "layer_norm_eps": 1e-5, "pad_token_id": 1}
            """,
            Asked.LABEL),
    QWEN2(
            """
            {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"],
             "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
             "num_key_value_heads": 2, "intermediate_size": 48, "vocab_size": 64,
             "max_position_embeddings": 64, "tie_word_embeddings": true, "eos_token_id": 2}
            """,
            Asked.TEXT),
    T5(
            """
            {"model_type": "t5", "architectures": ["T5ForConditionalGeneration"],
             "d_model": 32, "num_layers": 2, "num_heads": 4, "d_kv": 8, "d_ff": 48,
             "vocab_size": 64, "eos_token_id": 2, "decoder_start_token_id": 0}
            """,
            Asked.TEXT),
    VIT(
            """
            {"model_type": "vit", "architectures": ["ViTModel"],
             "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
             "intermediate_size": 48, "image_size": 8, "patch_size": 4, "num_channels": 3}
            """,
            Asked.IMAGE),
    CLIP(
            """
            {"model_type": "clip", "architectures": ["CLIPForImageClassification"],
             "vision_config": {"model_type": "clip_vision_model", "hidden_size": 32,
             "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48,
             "image_size": 8, "patch_size": 4}}
            """,
            Asked.IMAGE);

    private enum Asked {
        LABEL("labels: [odd, even]"),
        TEXT(
                """
                kind: generation
                metric: inverse_perplexity
                prompt: w5 {text} w6
                max_new_tokens: 4
                """),
        IMAGE("kind: image_classification\nlabels: [left, right]");

        private final String definition;

        Asked(String definition) {
            this.definition = definition;
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int WORDS = 64;
    private static final int SPECIAL = 3;
    private static final int RANK = 2;

    private final String config;
    private final Asked asked;

    TinyFamily(String config, Asked asked) {
        this.config = config;
        this.asked = asked;
    }

    /// Writes the base.
    Path base(Path folder) throws IOException {
        Path base = Files.createDirectories(folder.resolve(name()));
        ModelConfig read = ModelConfig.of(JSON.readTree(config), "config.json");
        Architecture architecture = Architecture.of(read);
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        architecture
                .trunk()
                .forEach((name, shape) -> {
                    if (!architecture.optional(name)) {
                        shapes.put(architecture.classifierName(name), shape);
                    }
                });
        if (!read.labels().isEmpty()) {
            shapes.putAll(architecture.classifier(read.labels().size()));
        }
        write(base.resolve("model.safetensors"), shapes, 0.15, 7);
        Files.writeString(base.resolve("config.json"), config);
        if (asked == Asked.IMAGE) {
            Files.writeString(
                    base.resolve("preprocessor_config.json"),
                    """
                    {"image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 8}}
                    """);
        } else {
            Files.writeString(base.resolve("tokenizer.json"), tokenizer());
        }
        return base;
    }

    /// Writes a task: to name the last word, to tell whether it is an even one, or which side of an
    /// image is bright.
    Path task(Path folder, String name) throws IOException {
        Path task = Files.createDirectories(folder.resolve(name() + "-" + name));
        Files.writeString(
                task.resolve("task.yaml"),
                """
                name: %s
                train: train.jsonl
                validation: val.jsonl
                %s
                """
                        .formatted(name, asked.definition));
        examples(task.resolve("train.jsonl"), 48, name.hashCode());
        examples(task.resolve("val.jsonl"), 24, name.hashCode() + 1);
        return task;
    }

    private void examples(Path file, int count, int seed) throws IOException {
        Random random = new Random(seed);
        StringBuilder lines = new StringBuilder();
        for (int i = 0; i < count; i++) {
            if (asked == Asked.IMAGE) {
                lines.append(image(file, i, random)).append('\n');
                continue;
            }
            int[] words = random.ints(5, SPECIAL, WORDS).toArray();
            String text =
                    IntStream.of(words).mapToObj(w -> "w" + w).collect(Collectors.joining(" "));
            int last = words[words.length - 1];
            String answer = asked == Asked.TEXT ? "w" + last : last % 2 == 0 ? "even" : "odd";
            ObjectNode line = JSON.createObjectNode().put("text", text).put("label", answer);
            lines.append(line).append('\n');
        }
        Files.writeString(file, lines);
    }

    /// Writes an image beside a file of examples, and its line.
    private static ObjectNode image(Path examples, int number, Random random) throws IOException {
        int side = 12;
        boolean right = random.nextBoolean();
        BufferedImage image = new BufferedImage(side, side, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < side; y++) {
            for (int x = 0; x < side; x++) {
                int bright = x >= side / 2 == right ? 120 : 0;
                image.setRGB(x, y, 0x10101 * (bright + random.nextInt(136)));
            }
        }
        String name = "%s-%d.png".formatted(examples.getFileName(), number);
        ImageIO.write(image, "png", examples.resolveSibling(name).toFile());
        return JSON.createObjectNode().put("image", name).put("label", right ? "right" : "left");
    }

    /// Writes a LoRA adapter on the attention of this base, as PEFT lays it out.
    static Path adapter(Path folder, String name, int seed) throws IOException {
        Path adapter = Files.createDirectories(folder.resolve("adapter-" + name));
        Files.writeString(
                adapter.resolve("adapter_config.json"),
                """
                {"peft_type": "LORA", "r": %d, "lora_alpha": 4, "bias": "none",
                 "target_modules": ["q_proj", "v_proj"], "base_model_name_or_path": "tiny"}
                """
                        .formatted(RANK));
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        for (int layer = 0; layer < 2; layer++) {
            for (String module : List.of("q_proj", "v_proj")) {
                String prefix =
                        "base_model.model.model.layers.%d.self_attn.%s.lora_"
                                .formatted(layer, module);
                shapes.put(prefix + "A.weight", List.of((long) RANK, 32L));
                shapes.put(
                        prefix + "B.weight",
                        List.of(module.equals("q_proj") ? 32L : 16L, (long) RANK));
            }
        }
        write(adapter.resolve("adapter_model.safetensors"), shapes, 0.2, seed);
        return adapter;
    }

    private static void write(Path file, Map<String, List<Long>> shapes, double scale, int seed) {
        Random random = new Random(seed);
        Map<String, MemorySegment> values = new LinkedHashMap<>();
        List<TensorSpec> specs = new ArrayList<>();
        shapes.forEach((name, shape) -> {
            int count = shape.stream().mapToInt(Long::intValue).reduce(1, Math::multiplyExact);
            MemorySegment bytes = MemorySegment.ofArray(new byte[count * Float.BYTES]);
            for (int i = 0; i < count; i++) {
                bytes.set(
                        ValueLayout.JAVA_FLOAT_UNALIGNED,
                        (long) i * Float.BYTES,
                        (float) (scale * random.nextGaussian()));
            }
            specs.add(new TensorSpec(name, Dtype.F32, shape));
            values.put(name, bytes);
        });
        try (CheckpointWriter writer =
                CheckpointWriter.create(file, specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                writer.write(name, Objects.requireNonNull(values.get(name)));
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
        return JSON.writeValueAsString(root);
    }
}
