package dev.tributary.merging;

import dev.tributary.merging.method.Setting;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.TensorSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/// Writes small checkpoints of any names, shapes and dtypes for tests.
final class TinyCheckpoint {
    private final Map<String, TensorSpec> specs = new LinkedHashMap<>();
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private String config = "{\"model_type\": \"arrows\", \"hidden_size\": 4}";

    static TinyCheckpoint of(String name, float... values) {
        return new TinyCheckpoint().with(name, values);
    }

    TinyCheckpoint with(String name, float... values) {
        return with(name, Dtype.F32, List.of((long) values.length), values);
    }

    TinyCheckpoint with(String name, Dtype dtype, List<Long> shape, float... values) {
        specs.put(name, new TensorSpec(name, dtype, shape));
        this.values.put(name, values);
        return this;
    }

    TinyCheckpoint config(String json) {
        this.config = json;
        return this;
    }

    Path write(Path directory) {
        try {
            Files.createDirectories(directory);
            Files.writeString(directory.resolve("config.json"), config);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        directory.resolve("model.safetensors"),
                        List.copyOf(specs.values()),
                        CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                writer.write(
                        name,
                        bytes(
                                Objects.requireNonNull(specs.get(name)),
                                Objects.requireNonNull(values.get(name))));
            }
            writer.finish();
        }
        return directory;
    }

    private static MemorySegment bytes(TensorSpec spec, float[] values) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[(int) spec.bytes()]);
        if (spec.dtype().floating()) {
            Kernels.narrow(MemorySegment.ofArray(values), spec.dtype(), bytes, values.length);
        } else {
            for (int i = 0; i < values.length; i++) {
                bytes.set(
                        java.lang.foreign.ValueLayout.JAVA_BYTE,
                        (long) i * spec.dtype().bytes(),
                        (byte) values[i]);
            }
        }
        return bytes;
    }

    Checkpoint open(Path directory) {
        return Checkpoint.open(write(directory));
    }

    /// A member whose expert this is.
    Member member(Path directory, String task) {
        return member(directory, task, 1.0, null);
    }

    Member member(
            Path directory,
            String task,
            double weight,
            @org.jspecify.annotations.Nullable Double density) {
        SortedMap<String, Setting> settings = new TreeMap<>();
        settings.put("weight", Setting.of(weight));
        if (density != null) {
            settings.put("density", Setting.of(density));
        }
        return new Member(
                task, open(directory), Digest.ofText(directory.toString()), null, settings);
    }
}
