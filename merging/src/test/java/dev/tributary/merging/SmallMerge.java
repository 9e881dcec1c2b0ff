package dev.tributary.merging;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Setting;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Progress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SortedMap;
import java.util.TreeMap;

/// Merges small models of a few tensors, every one of another kind, for tests.
final class SmallMerge {
    static final Map<String, List<Long>> SHAPES = shapes();

    private final Path folder;
    private final Map<String, float[]> base;
    private final Map<String, Map<String, float[]>> experts = new LinkedHashMap<>();
    private final Map<String, SortedMap<String, Setting>> settings = new LinkedHashMap<>();
    private Dtype dtype = Dtype.F32;
    private int runs;

    SmallMerge(Path folder, Map<String, float[]> base) {
        this.folder = folder;
        this.base = base;
    }

    private static Map<String, List<Long>> shapes() {
        Map<String, List<Long>> shapes = new LinkedHashMap<>();
        shapes.put("model.embed_tokens.weight", List.of(40L, 8L));
        for (int layer = 0; layer < 3; layer++) {
            shapes.put("model.layers.%d.up.weight".formatted(layer), List.of(12L, 8L));
            shapes.put("model.layers.%d.down.weight".formatted(layer), List.of(8L, 12L));
            shapes.put("model.layers.%d.norm.weight".formatted(layer), List.of(8L));
        }
        shapes.put("model.scale", List.of(1L));
        return Collections.unmodifiableMap(shapes);
    }

    /// Random values for every tensor.
    static Map<String, float[]> random(long seed, double scale) {
        Random random = new Random(seed);
        Map<String, float[]> values = new LinkedHashMap<>();
        SHAPES.forEach((name, shape) -> {
            float[] one = new float[(int) elements(shape)];
            for (int i = 0; i < one.length; i++) {
                one[i] = (float) (scale * random.nextGaussian());
            }
            values.put(name, one);
        });
        return values;
    }

    /// The sum of two models' values.
    static Map<String, float[]> sum(Map<String, float[]> a, Map<String, float[]> b) {
        Map<String, float[]> values = new LinkedHashMap<>();
        a.forEach((name, left) -> {
            float[] right = Objects.requireNonNull(b.get(name));
            float[] one = new float[left.length];
            for (int i = 0; i < one.length; i++) {
                one[i] = left[i] + right[i];
            }
            values.put(name, one);
        });
        return values;
    }

    SmallMerge stored(Dtype as) {
        dtype = as;
        return this;
    }

    SmallMerge with(String task, Map<String, float[]> values) {
        experts.put(task, values);
        return this;
    }

    SmallMerge setting(String task, String name, String value) {
        settings.computeIfAbsent(task, _ -> new TreeMap<>()).put(name, Setting.parse(value));
        return this;
    }

    /// The merged tensors.
    Map<String, float[]> merge(MergeMethod method) {
        return merge(method, List.copyOf(experts.keySet()));
    }

    /// The merged tensors, of the experts in an order.
    Map<String, float[]> merge(MergeMethod method, List<String> order) {
        return Golden.tensors(file(method, order)).byName();
    }

    /// The merged file, of the experts in an order.
    Path file(MergeMethod method, List<String> order) {
        Path work = folder.resolve("run" + runs++);
        List<Checkpoint> open = new ArrayList<>();
        try {
            Checkpoint opened = write(base, work.resolve("base"));
            open.add(opened);
            List<Member> members = new ArrayList<>();
            for (String task : order) {
                Checkpoint expert =
                        write(Objects.requireNonNull(experts.get(task)), work.resolve(task));
                open.add(expert);
                members.add(
                        new Member(
                                task,
                                expert,
                                Digest.ofText(task),
                                null,
                                settings.getOrDefault(task, new TreeMap<>())));
            }
            MergePlan plan = MergePlanner.plan(opened, members, method, Dtype.F32);
            Path merged = work.resolve("merged.safetensors");
            MergeExecutor.execute(plan, null, merged, new TreeMap<>(), Progress.SILENT);
            return merged;
        } finally {
            open.forEach(Checkpoint::close);
        }
    }

    /// The folder of the last merge.
    Path lastFolder() {
        return folder.resolve("run" + (runs - 1));
    }

    private Checkpoint write(Map<String, float[]> values, Path directory) {
        TinyCheckpoint checkpoint = new TinyCheckpoint();
        values.forEach((name, one) ->
                checkpoint.with(
                        name, dtype, SHAPES.getOrDefault(name, List.of((long) one.length)), one));
        return checkpoint.open(directory);
    }

    private static long elements(List<Long> shape) {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }
}
