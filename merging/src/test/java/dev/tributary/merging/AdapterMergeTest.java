package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.TensorInfo;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Merges of adapters give what merges of whole models give that say the same.
class AdapterMergeTest {
    private static final List<String> TASKS = List.of("hedges", "nouns", "spam");

    @TempDir private Path folder;

    private TinyPool pool;

    @BeforeEach
    void adapters() throws IOException {
        pool = new TinyPool(folder);
        for (int t = 0; t < TASKS.size(); t++) {
            String task = TASKS.get(t);
            adapter(folder.resolve("adapters").resolve(task), task, t);
            try (Checkpoint base = Checkpoint.open(pool.base());
                    Checkpoint adapted =
                            Checkpoint.openAdapter(
                                    folder.resolve("adapters").resolve(task), base)) {
                whole(adapted, folder.resolve("whole").resolve(task));
            }
        }
    }

    private void adapter(Path target, String task, int seed) throws IOException {
        Random random = new Random(seed);
        Map<String, float[]> values = new TreeMap<>();
        List<TensorSpec> specs = new ArrayList<>();
        try (Checkpoint base = Checkpoint.open(pool.base())) {
            for (TensorInfo info : base.tensors().values()) {
                String name = info.name();
                if (name.contains("query") || name.contains("output.dense")) {
                    if (info.shape().size() == 2) {
                        String module = name.substring(0, name.length() - ".weight".length());
                        long rows = info.shape().get(0);
                        long columns = info.shape().get(1);
                        add(module + ".lora_A.weight", List.of(3L, columns), random, values, specs);
                        add(module + ".lora_B.weight", List.of(rows, 3L), random, values, specs);
                    }
                }
            }
            long hidden = base.config().path("hidden_size").asLong();
            long labels = TinyPool.LABELS.getOrDefault(task, 0);
            add("classifier.weight", List.of(labels, hidden), random, values, specs);
            add("classifier.bias", List.of(labels), random, values, specs);
        }
        TinyPool.write(
                target.resolve("adapter_config.json"),
                """
                {"peft_type": "LORA", "task_type": "SEQ_CLS", "r": 3, "lora_alpha": 3,
                 "bias": "none", "modules_to_save": ["classifier"]}
                """);
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        target.resolve("adapter_model.safetensors"),
                        specs,
                        CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                writer.write(name, bytes(values.getOrDefault(name, new float[0])));
            }
            writer.finish();
        }
    }

    private static void add(
            String name,
            List<Long> shape,
            Random random,
            Map<String, float[]> values,
            List<TensorSpec> specs) {
        float[] own = new float[(int) shape.stream().mapToLong(s -> s).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < own.length; i++) {
            own[i] = (float) (0.1 * random.nextGaussian());
        }
        values.put("base_model.model." + name, own);
        specs.add(new TensorSpec("base_model.model." + name, Dtype.F32, shape));
    }

    private static MemorySegment bytes(float[] values) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[values.length * Float.BYTES]);
        for (int i = 0; i < values.length; i++) {
            bytes.set(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) i * Float.BYTES, values[i]);
        }
        return bytes;
    }

    /// The model an adapter makes of its base, as a model of its own.
    private static void whole(Checkpoint adapted, Path target) throws IOException {
        Files.createDirectories(target);
        Files.writeString(target.resolve("config.json"), adapted.config().toString());
        List<TensorSpec> specs =
                adapted.tensors().values().stream()
                        .map(t -> new TensorSpec(t.name(), t.dtype(), t.shape()))
                        .toList();
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        target.resolve("model.safetensors"), specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                writer.write(name, adapted.data(name));
            }
            writer.finish();
        }
    }

    private Path merged(MergeMethod method, String kind) throws IOException {
        List<MergeRequest.RequestedMember> members = new ArrayList<>();
        for (String task : TASKS) {
            Path expert = folder.resolve(kind).resolve(task);
            members.add(
                    new MergeRequest.RequestedMember(
                            task, expert, Digest.ofDirectory(expert), pool.taskFolder(task)));
        }
        Path target = Files.createDirectories(folder.resolve("out-" + kind));
        PoolMerger.merge(
                new MergeRequest(
                        pool.base(),
                        Digest.ofDirectory(pool.base()),
                        members,
                        method,
                        null,
                        null,
                        Provenance.ofPool("mail", 4, "tiny-bert", null, Map.of()),
                        folder.resolve("cache"),
                        target),
                Progress.SILENT);
        return target;
    }

    @ParameterizedTest
    @CsvSource({"task_arithmetic", "ties", "lot", "fisher", "divmerge"})
    void adaptersAreMergedAsTheModelsTheyMake(String method) throws IOException {
        MergeMethod chosen =
                MergeMethod.of(
                        method,
                        method.equals("divmerge")
                                ? Map.of("max_steps", "10", "calibration_items", "8")
                                : Map.of());

        Path ofAdapters = merged(chosen, "adapters");
        Path ofModels = merged(chosen, "whole");

        assertThat(Digest.of(ofAdapters.resolve("model.safetensors")))
                .isEqualTo(Digest.of(ofModels.resolve("model.safetensors")));
        for (String task : TASKS) {
            Path view = Path.of("tasks", task, "model-00002-of-00002.safetensors");
            assertThat(Digest.of(ofAdapters.resolve(view)))
                    .isEqualTo(Digest.of(ofModels.resolve(view)));
            try (Checkpoint checkpoint = Checkpoint.open(ofAdapters.resolve("tasks/" + task))) {
                assertThat(checkpoint.config().path("id2label").size())
                        .isEqualTo(TinyPool.LABELS.get(task));
            }
        }
    }

    @Test
    void aRecipeTakesAdaptersBesideModels() throws IOException {
        TinyPool.write(
                folder.resolve("recipe.yaml"),
                """
                merge_method: task_arithmetic
                base_model: base
                models:
                  - model: adapters/hedges
                    parameters: {weight: 0.5}
                  - model: whole/spam
                    parameters: {weight: 0.5}
                """);
        MergePlan plan = PoolMerger.plan(Recipe.read(folder.resolve("recipe.yaml")));

        assertThat(plan.tasks()).containsExactly("hedges", "spam");
    }
}
