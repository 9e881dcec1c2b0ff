package dev.tributary.merging;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.Architecture;
import dev.tributary.models.ModelConfig;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.TensorSpec;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;
import java.util.TreeMap;
import javax.imageio.ImageIO;

/// The three BERT experts of the golden files as a pool: with a tokenizer of made-up words and a
/// staged task for each.
final class TinyPool {
    static final List<String> TASKS = List.of("spam", "hedges", "nouns");
    static final Map<String, Integer> LABELS = Map.of("spam", 3, "hedges", 2, "nouns", 4);

    private static final int VOCABULARY = 120;
    private static final int SIDE = 8;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path folder;

    TinyPool(Path folder) {
        this.folder = folder;
        copy("base");
        for (int t = 0; t < TASKS.size(); t++) {
            copy("expert" + t);
            stage(TASKS.get(t), t);
        }
        write(folder.resolve("base/tokenizer.json"), tokenizer());
        write(folder.resolve("base/tokenizer_config.json"), "{}\n");
    }

    /// Experts of another family: random, of this configuration.
    TinyPool(Path folder, ObjectNode config) {
        this.folder = folder;
        Architecture architecture = Architecture.of(ModelConfig.of(config, "config.json"));
        Random random = new Random(7);
        SequencedMap<String, float[]> trunk = new LinkedHashMap<>();
        architecture
                .trunk()
                .forEach((name, shape) -> trunk.put(name, gaussian(random, shape, 0.15)));
        ObjectNode bare = config.deepCopy();
        bare.putArray("architectures")
                .add(
                        config.path("architectures")
                                .path(0)
                                .asText()
                                .replace("ForSequenceClassification", "Model"));
        SequencedMap<String, List<Long>> bareShapes = new LinkedHashMap<>(architecture.trunk());
        SequencedMap<String, float[]> bareValues = new LinkedHashMap<>(trunk);
        int ownLabels = ModelConfig.of(bare, "config.json").labels().size();
        if (ownLabels > 0) {
            architecture
                    .classifier(ownLabels)
                    .forEach((name, shape) -> {
                        bareShapes.put(name, shape);
                        bareValues.put(name, gaussian(random, shape, 0.3));
                    });
        }
        write(folder.resolve("base"), architecture, bare, bareValues, bareShapes);
        for (int t = 0; t < TASKS.size(); t++) {
            String task = TASKS.get(t);
            SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>(architecture.trunk());
            shapes.putAll(architecture.classifier(labelCount(task)));
            SequencedMap<String, float[]> expert = new LinkedHashMap<>();
            shapes.forEach((name, shape) -> {
                float[] values = gaussian(random, shape, trunk.containsKey(name) ? 0.05 : 0.3);
                float[] before = trunk.getOrDefault(name, new float[values.length]);
                for (int i = 0; i < values.length; i++) {
                    values[i] += before[i];
                }
                expert.put(name, values);
            });
            ObjectNode own = config.deepCopy();
            ObjectNode names = own.putObject("id2label");
            for (int label = 0; label < labelCount(task); label++) {
                names.put(Integer.toString(label), "LABEL_" + label);
            }
            write(folder.resolve("expert" + t), architecture, own, expert, shapes);
            stage(task, t);
            if (architecture.tokenTable().isEmpty()) {
                stageImages(task, t);
            } else if (architecture.labelWeight().isEmpty()) {
                write(
                        taskFolder(task).resolve("task.yaml"),
                        """
                        name: %s
                        kind: generation
                        metric: rouge1
                        prompt: "{text} w5"
                        max_tokens: 16
                        max_new_tokens: 6
                        calibration: calibration.jsonl
                        validation: validation.jsonl
                        """
                                .formatted(task));
            }
        }
        if (architecture.tokenTable().isEmpty()) {
            write(
                    folder.resolve("base/preprocessor_config.json"),
                    "{\"size\": {\"height\": %d, \"width\": %d}}".formatted(SIDE, SIDE));
        } else {
            write(folder.resolve("base/tokenizer.json"), tokenizer());
            write(folder.resolve("base/tokenizer_config.json"), "{}\n");
        }
    }

    private static float[] gaussian(Random random, List<Long> shape, double scale) {
        int size = shape.stream().mapToInt(Long::intValue).reduce(1, Math::multiplyExact);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) (scale * random.nextGaussian());
        }
        return values;
    }

    private static void write(
            Path folder,
            Architecture architecture,
            ObjectNode config,
            Map<String, float[]> values,
            Map<String, List<Long>> shapes) {
        write(folder.resolve("config.json"), config.toString());
        Map<String, float[]> byFileName = new TreeMap<>();
        List<TensorSpec> specs = new ArrayList<>();
        shapes.forEach((name, shape) -> {
            String file = architecture.classifierName(name);
            specs.add(new TensorSpec(file, Dtype.F32, shape));
            byFileName.put(file, values.get(name));
        });
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        folder.resolve("model.safetensors"), specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                float[] own = Objects.requireNonNull(byFileName.get(name), name);
                MemorySegment bytes = MemorySegment.ofArray(new byte[own.length * Float.BYTES]);
                Kernels.narrow(MemorySegment.ofArray(own), Dtype.F32, bytes, own.length);
                writer.write(name, bytes);
            }
            writer.finish();
        }
    }

    Path base() {
        return folder.resolve("base");
    }

    Path expert(String task) {
        return folder.resolve("expert" + TASKS.indexOf(task));
    }

    Path taskFolder(String task) {
        return folder.resolve("tasks").resolve(task);
    }

    MergeRequest request(MergeMethod method, Path target, String... tasks) {
        List<MergeRequest.RequestedMember> members = new ArrayList<>();
        for (String task : tasks) {
            members.add(
                    new MergeRequest.RequestedMember(
                            task,
                            expert(task),
                            Digest.ofDirectory(expert(task)),
                            taskFolder(task)));
        }
        try {
            Files.createDirectories(target);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new MergeRequest(
                base(),
                Digest.ofDirectory(base()),
                members,
                method,
                null,
                null,
                Provenance.ofPool("mail", 4, "tiny-bert", null, Map.of("spam", "event-1")),
                folder.resolve("cache"),
                target);
    }

    static void write(Path file, String text) {
        try {
            Files.createDirectories(file.resolveSibling(""));
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void copy(String name) {
        Path from = Golden.path("divmerge_bert/" + name);
        Path to = folder.resolve(name);
        try {
            Files.createDirectories(to);
            for (String file : List.of("config.json", "model.safetensors")) {
                Files.copy(from.resolve(file), to.resolve(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void stage(String task, int seed) {
        StringBuilder labels = new StringBuilder();
        for (int label = 0; label < labelCount(task); label++) {
            labels.append("- LABEL_").append(label).append('\n');
        }
        Path target = taskFolder(task);
        write(
                target.resolve("task.yaml"),
                """
                name: %s
                kind: classification
                metric: accuracy
                max_tokens: 16
                labels:
                %scalibration: calibration.jsonl
                validation: validation.jsonl
                """
                        .formatted(task, labels));
        Random random = new Random(seed);
        StringBuilder calibration = new StringBuilder();
        StringBuilder validation = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            calibration.append("{\"text\": \"").append(words(random)).append("\"}\n");
            validation
                    .append("{\"text\": \"")
                    .append(words(random))
                    .append("\", \"label\": \"LABEL_0\"}\n");
        }
        write(target.resolve("calibration.jsonl"), calibration.toString());
        write(target.resolve("validation.jsonl"), validation.toString());
    }

    /// Puts random images in the place of the texts.
    private void stageImages(String task, int seed) {
        Path target = taskFolder(task);
        try {
            Path definition = target.resolve("task.yaml");
            String text = Files.readString(definition);
            Files.writeString(definition, text.replace("kind: c", "kind: image_c"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        Random random = new Random(seed);
        StringBuilder calibration = new StringBuilder();
        StringBuilder validation = new StringBuilder();
        for (int i = 0; i < 12; i++) {
            calibration.append("{\"image\": \"%s\"}%n".formatted(image(random)));
            validation.append(
                    "{\"image\": \"%s\", \"label\": \"LABEL_0\"}%n".formatted(image(random)));
        }
        write(target.resolve("calibration.jsonl"), calibration.toString());
        write(target.resolve("validation.jsonl"), validation.toString());
    }

    private static String image(Random random) {
        BufferedImage image = new BufferedImage(SIDE, SIDE, BufferedImage.TYPE_INT_RGB);
        for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
            image.setRGB(pixel % SIDE, pixel / SIDE, random.nextInt(1 << 24));
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            ImageIO.write(image, "png", bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return "data:image/png;base64," + Base64.getEncoder().encodeToString(bytes.toByteArray());
    }

    private static int labelCount(String task) {
        return LABELS.getOrDefault(task, 0);
    }

    private static String words(Random random) {
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < 3 + random.nextInt(9); i++) {
            words.append(i == 0 ? "" : " ").append('w').append(3 + random.nextInt(100));
        }
        return words.toString();
    }

    private static String tokenizer() {
        try {
            ObjectNode root =
                    (ObjectNode)
                            JSON.readTree(
                                    """
                                    {"version": "1.0", "truncation": null, "padding": null,
                                     "added_tokens": [], "normalizer": null,
                                     "pre_tokenizer": {"type": "WhitespaceSplit"},
                                     "post_processor": {"type": "TemplateProcessing",
                                       "single": [
                                         {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                                         {"Sequence": {"id": "A", "type_id": 0}}],
                                       "pair": [
                                         {"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                                         {"Sequence": {"id": "A", "type_id": 0}},
                                         {"Sequence": {"id": "B", "type_id": 1}}],
                                       "special_tokens": {"[CLS]": {
                                         "id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
                                     "decoder": null}
                                    """);
            ObjectNode model = root.putObject("model");
            model.put("type", "WordLevel").put("unk_token", "[UNK]");
            ObjectNode vocabulary = model.putObject("vocab");
            vocabulary.put("[PAD]", 0).put("[UNK]", 1).put("[CLS]", 2);
            for (int id = 3; id < VOCABULARY; id++) {
                vocabulary.put("w" + id, id);
            }
            return JSON.writeValueAsString(root);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
