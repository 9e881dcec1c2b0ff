package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.method.LayerStack;
import dev.tributary.merging.method.Statistics;
import dev.tributary.models.Architecture;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Writes a merged model as a folder: the shared weights with their configuration, tokenizer, card
/// and lineage, and for every task a folder that `transformers` opens as it is, whose first shard
/// is a hard link to the shared weights.
///
/// Equal merges give equal bytes: no times, no paths, sorted keys.
final class GenerationWriter {
    static final String MERGED = "model.safetensors";
    static final String TASKS = "tasks";

    private static final String CONFIG = "config.json";

    /// Where the file of a CLIP with a classifier describes its image side.
    private static final String IMAGE_SIDE = "vision_config";

    private static final List<String> LAYER_COUNTS =
            List.of("num_hidden_layers", "num_layers", "n_layer");
    private static final String SHARED_SHARD = "model-00001-of-00002.safetensors";
    private static final String TASK_SHARD = "model-00002-of-00002.safetensors";
    private static final String INDEX = "model.safetensors.index.json";

    private final MergePlan plan;
    private final Lineage lineage;
    private final Path folder;

    private GenerationWriter(MergePlan plan, Lineage lineage, Path folder) {
        this.plan = plan;
        this.lineage = lineage;
        this.folder = folder;
    }

    /// Merges and writes everything into an existing, empty folder.
    ///
    /// @param statistics what was gathered for the plan; null for methods that ask for none
    /// @throws RefusedException for a NaN or an infinity, with its place
    static GenerationFiles write(
            MergePlan plan,
            Lineage lineage,
            @Nullable Statistics statistics,
            Path folder,
            Progress progress) {
        try {
            Digest digest =
                    MergeExecutor.execute(
                            plan,
                            lineage.coefficients(),
                            statistics,
                            lineage.sums(),
                            folder.resolve(MERGED),
                            new TreeMap<>(CheckpointWriter.PYTORCH),
                            progress);
            InputSums sums = lineage.sums();
            MergePlan identified = sums == null ? plan : sums.identified(plan);
            return new GenerationWriter(identified, lineage.identified(identified), folder)
                    .describe(digest);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write into " + folder, e);
        }
    }

    private GenerationFiles describe(Digest digest) throws IOException {
        text(CONFIG, JsonText.write(sharedConfig()));
        TokenizerFiles.write(plan, folder);
        List<String> taskFolders = new ArrayList<>();
        for (Member member : plan.members()) {
            List<TaskTensor> own = plan.taskTensors().getOrDefault(member.task(), List.of());
            if (!own.isEmpty()) {
                task(member, own);
                taskFolders.add(member.task());
            }
        }
        text("README.md", ModelCard.text(plan, lineage, taskFolders));
        text("tributary.json", lineage.json(plan, digest));
        return new GenerationFiles(
                folder,
                lineage.identity(),
                digest,
                Files.size(folder.resolve(MERGED)),
                taskFolders);
    }

    private JsonNode sharedConfig() {
        ObjectNode config = bareConfig();
        layers(config);
        dtype(config);
        plan.vocabulary().ifPresent(vocabulary -> vocabulary.describe(config));
        return config;
    }

    /// The base's configuration; without heads, where they are kept apart, it is the bare
    /// encoder's.
    private ObjectNode bareConfig() {
        ObjectNode config = plan.base().config().deepCopy();
        JsonNode architectures = config.path("architectures");
        boolean headless = plan.architecture().flatMap(Architecture::labelWeight).isPresent();
        if (!headless || !architectures.isArray()) {
            return config;
        }
        if (config.path(IMAGE_SIDE) instanceof ObjectNode imageSide) {
            imageSide.put("model_type", "clip_vision_model");
            imageSide.putArray("architectures").add("CLIPVisionModel");
            for (String key : List.of("torch_dtype", "dtype")) {
                if (config.has(key)) {
                    imageSide.set(key, config.get(key));
                }
            }
            return imageSide;
        }
        String encoder = architectures.path(0).asText("").replaceFirst("For[A-Z]\\w*$", "Model");
        config.putArray("architectures").add(encoder);
        return config;
    }

    /// Says how many layers a stack has, and takes what is listed layer by layer along with them.
    private void layers(ObjectNode config) {
        List<LayerStack.Slice> slices = plan.method().stack().slices();
        if (slices.isEmpty()) {
            return;
        }
        for (String key : LAYER_COUNTS) {
            if (config.path(key).isInt()) {
                int before = config.path(key).intValue();
                for (Map.Entry<String, JsonNode> entry : config.properties()) {
                    if (entry.getValue().isArray() && entry.getValue().size() == before) {
                        entry.setValue(stacked(entry.getKey(), slices));
                    }
                }
                config.put(key, plan.method().stack().layers());
            }
        }
    }

    private JsonNode stacked(String key, List<LayerStack.Slice> slices) {
        ArrayNode stacked = JsonText.object().putArray(key);
        for (LayerStack.Slice slice : slices) {
            JsonNode listed =
                    plan.members().stream()
                            .filter(member -> member.task().equals(slice.model()))
                            .map(member -> member.expert().config().path(key))
                            .findFirst()
                            .orElse(plan.base().config().path(key));
            for (int layer = slice.from(); layer < slice.to(); layer++) {
                stacked.add(listed.path(layer));
            }
        }
        return stacked;
    }

    /// Says the element type where the plan changed it, under the key the file already has:
    /// `torch_dtype` until version 4 of transformers, `dtype` from version 5.
    private void dtype(ObjectNode config) {
        plan.shared().stream()
                .filter(t -> t.merged() && t.outputDtype() != t.baseDtype())
                .findFirst()
                .ifPresent(t ->
                        config.put(
                                config.has("dtype") ? "dtype" : "torch_dtype",
                                name(t.outputDtype())));
    }

    private static String name(Dtype dtype) {
        return switch (dtype) {
            case F64 -> "float64";
            case F32 -> "float32";
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            case I64, I32, I16, I8, U64, U32, U16, U8, BOOL ->
                    throw new IllegalArgumentException("no model is stored as " + dtype);
        };
    }

    private void task(Member member, List<TaskTensor> own) throws IOException {
        Path view = Files.createDirectories(folder.resolve(TASKS).resolve(member.task()));
        link(folder.resolve(MERGED), view.resolve(SHARED_SHARD));
        for (String name : TokenizerFiles.NAMES) {
            if (Files.exists(folder.resolve(name))) {
                link(folder.resolve(name), view.resolve(name));
            }
        }
        head(member, own, view.resolve(TASK_SHARD));
        ObjectNode config = member.expert().config().deepCopy();
        dtype(config);
        plan.vocabulary().ifPresent(vocabulary -> vocabulary.describe(config));
        Files.writeString(view.resolve(CONFIG), JsonText.write(config));
        Files.writeString(view.resolve(INDEX), JsonText.write(index(own)));
    }

    /// A second name for a file; a copy where the file system has no such thing.
    private static void link(Path existing, Path name) throws IOException {
        try {
            Files.createLink(name, existing);
        } catch (UnsupportedOperationException | java.nio.file.FileSystemException _) {
            Files.copy(existing, name);
        }
    }

    private static void head(Member member, List<TaskTensor> own, Path file) {
        Checkpoint expert = member.expert();
        List<Fault> faults = new ArrayList<>();
        for (TaskTensor tensor : own) {
            expert.firstNonFinite(tensor.sourceName())
                    .ifPresent(found ->
                            faults.add(
                                    MergeExecutor.nonFinite(
                                            member.task() + " " + tensor.name(),
                                            tensor.output().elements(),
                                            found)));
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        Map<String, TaskTensor> byName =
                own.stream().collect(Collectors.toMap(TaskTensor::outputName, t -> t));
        List<TensorSpec> specs = own.stream().map(TaskTensor::output).toList();
        try (CheckpointWriter writer =
                CheckpointWriter.create(file, specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                TaskTensor tensor = byName.get(name);
                if (tensor != null) {
                    writer.write(name, expert.data(tensor.sourceName()));
                }
            }
            writer.finish();
        }
    }

    private ObjectNode index(List<TaskTensor> own) {
        ObjectNode root = JsonText.object();
        ObjectNode files = root.putObject("weight_map");
        long bytes = 0;
        for (SharedTensor tensor : plan.shared()) {
            files.put(tensor.outputName(), SHARED_SHARD);
            bytes += tensor.output().bytes();
        }
        for (TaskTensor tensor : own) {
            files.put(tensor.outputName(), TASK_SHARD);
            bytes += tensor.output().bytes();
        }
        root.putObject("metadata").put("total_size", bytes);
        return root;
    }

    private void text(String name, String content) throws IOException {
        Files.writeString(folder.resolve(name), content);
    }
}
