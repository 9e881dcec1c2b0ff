package dev.tributary.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The folder of a fine-tuned checkpoint, written aside and renamed when it is complete.
///
/// @param target where it appears
record ExpertFolder(Path target) {
    private static final List<String> COPIED =
            List.of(
                    TextTokenizer.FILE,
                    ImageProcessor.FILE,
                    "tokenizer_config.json",
                    "special_tokens_map.json",
                    "vocab.txt",
                    "vocab.json",
                    "merges.txt",
                    "spiece.model",
                    "tokenizer.model",
                    "chat_template.jinja",
                    "generation_config.json");

    void refuseIfThere() {
        if (Files.exists(target)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_OPTION,
                            target.toString(),
                            "is already there, expected a new folder: choose another name or remove"
                                    + " it"));
        }
    }

    void write(Checkpoint base, RunningModel model, @Nullable Head head, List<String> labels) {
        Path parent = Objects.requireNonNull(target.toAbsolutePath().getParent());
        Path staging = null;
        try {
            Files.createDirectories(parent);
            staging = Files.createTempDirectory(parent, ".%s.".formatted(target.getFileName()));
            writeWeights(staging.resolve("model.safetensors"), model, head);
            Files.writeString(
                    staging.resolve("config.json"),
                    config(base, model, head == null ? List.of() : labels).toPrettyString() + "\n");
            for (String name : COPIED) {
                Path file = base.directory().resolve(name);
                if (Files.isRegularFile(file)) {
                    Files.copy(file, staging.resolve(name));
                }
            }
            bringToDisk(staging);
            Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
            force(parent, StandardOpenOption.READ);
        } catch (IOException e) {
            discard(staging);
            throw new UncheckedIOException("cannot write %s".formatted(target), e);
        }
    }

    private static void writeWeights(Path file, RunningModel model, @Nullable Head head) {
        Map<String, MemorySegment> byName = new HashMap<>();
        List<TensorSpec> specs = new ArrayList<>();
        Architecture architecture = model.architecture();
        model.parameters()
                .forEach((name, shape) -> {
                    if (head == null || !head.parameters().containsKey(name)) {
                        String fileName = architecture.classifierName(name);
                        specs.add(new TensorSpec(fileName, Dtype.F32, shape));
                        byName.put(fileName, model.weights(name));
                    }
                });
        if (head != null) {
            head.parameters()
                    .forEach((name, shape) -> {
                        String fileName = architecture.classifierName(name);
                        specs.add(new TensorSpec(fileName, Dtype.F32, shape));
                        byName.put(fileName, head.weights(name));
                    });
        }
        try (CheckpointWriter writer =
                CheckpointWriter.create(file, specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                writer.write(name, Objects.requireNonNull(byName.get(name)));
            }
            writer.finish();
        }
    }

    /// The base's configuration, with the head's labels where there is one, in the form
    /// `transformers` 4 writes and both 4 and 5 read.
    private static ObjectNode config(Checkpoint base, RunningModel model, List<String> labels) {
        ObjectNode config = base.config().deepCopy();
        config.put("torch_dtype", "float32");
        config.remove("dtype");
        if (labels.isEmpty()) {
            return config;
        }
        config.putArray("architectures").add(classifierClass(model.config()));
        config.put("problem_type", "single_label_classification");
        config.remove("num_labels");
        ObjectNode names = config.putObject("id2label");
        ObjectNode ids = config.putObject("label2id");
        for (int id = 0; id < labels.size(); id++) {
            names.put(Integer.toString(id), labels.get(id));
            ids.put(labels.get(id), id);
        }
        return config;
    }

    /// `BertModel` and `BertForMaskedLM` become `BertForSequenceClassification`, `ViTModel` becomes
    /// `ViTForImageClassification`.
    private static String classifierClass(ModelConfig config) {
        String what = config instanceof VisionConfig ? "Image" : "Sequence";
        return config.architecture()
                .replaceFirst("(Model|For[A-Z].*)?$", "For%sClassification".formatted(what));
    }

    private static void bringToDisk(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                force(file, StandardOpenOption.WRITE);
            }
        }
        force(folder, StandardOpenOption.READ);
    }

    private static void force(Path path, StandardOpenOption option) throws IOException {
        try (FileChannel channel = FileChannel.open(path, option)) {
            channel.force(true);
        }
    }

    private static void discard(@Nullable Path staging) {
        if (staging == null) {
            return;
        }
        try (Stream<Path> files = Files.list(staging)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(staging);
        } catch (IOException _) {
            // What is left lies beside the target under a hidden name and harms nobody.
        }
    }
}
