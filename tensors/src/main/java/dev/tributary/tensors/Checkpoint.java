package dev.tributary.tensors;

import com.fasterxml.jackson.databind.JsonNode;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// A model as the Hugging Face libraries keep it: a folder with `config.json` and its weights as
/// safetensors, in one file or in shards; or a LoRA adapter on such a model.
///
/// The files are mapped into memory, so a model of any size costs no heap. Headers are checked when
/// it is opened, and what cannot be trusted is refused with a [CorruptCheckpointException]; values
/// are not looked at before they are asked for. May be read by several threads; after [#close]
/// every segment handed out is dead. The files must not change while it is open: copy what others
/// can write to into an [ArtifactStore] first.
public final class Checkpoint implements AutoCloseable {
    private final Path directory;
    private final JsonNode config;
    private final Arena arena;
    private final SequencedMap<String, TensorInfo> tensors;
    private final Map<String, SafetensorsFile> fileOf;
    private final Map<String, LowRank> lowRank;
    private final @Nullable Checkpoint adapted;

    private Checkpoint(Path directory, JsonNode config, Arena arena, List<SafetensorsFile> files) {
        this.directory = directory;
        this.config = config;
        this.arena = arena;
        this.fileOf = new HashMap<>();
        this.lowRank = Map.of();
        this.adapted = null;
        SequencedMap<String, TensorInfo> all = new TreeMap<>();
        for (SafetensorsFile file : files) {
            all.putAll(file.header().tensors());
            file.header().tensors().keySet().forEach(name -> fileOf.put(name, file));
        }
        this.tensors = Collections.unmodifiableSequencedMap(all);
    }

    private Checkpoint(Path directory, AdapterFolder adapter, Checkpoint base, Arena arena) {
        this.directory = directory;
        this.config = adapter.modelConfig;
        this.arena = arena;
        this.fileOf = new HashMap<>(base.fileOf);
        this.fileOf.putAll(adapter.saved);
        this.lowRank = Map.copyOf(adapter.lowRank);
        this.adapted = base;
        this.tensors = Collections.unmodifiableSequencedMap(adapter.tensors);
    }

    /// Whether a folder holds an adapter, which needs its base to be opened.
    public static boolean isAdapter(Path directory) {
        return AdapterFolder.there(directory);
    }

    /// Opens a LoRA adapter as the model that it and its base are together. The matrices it changes
    /// are fp32, and are made while they are read.
    ///
    /// @param base must stay open for as long as this is
    /// @throws RefusedException with everything that cannot be applied to this base
    public static Checkpoint openAdapter(Path directory, Checkpoint base) {
        Arena arena = Arena.ofShared();
        try {
            AdapterFolder adapter = AdapterFolder.read(directory, base, arena);
            return new Checkpoint(directory, adapter, base, arena);
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /// Opens a checkpoint folder and checks its headers.
    ///
    /// @throws CorruptCheckpointException when its files cannot be trusted
    public static Checkpoint open(Path directory) {
        if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)
                && !Files.isDirectory(directory)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.ARTIFACT_MISSING,
                            directory.toString(),
                            "no such folder, expected one with config.json and safetensors files"));
        }
        if (isAdapter(directory) && !Files.exists(directory.resolve(ConfigFile.NAME))) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.UNSUPPORTED_ARCHITECTURE,
                            directory.toString(),
                            "is an adapter, expected a whole model: pools, and recipes with base_model,"
                                    + " take adapters, anything else needs them merged into"
                                    + " their base"));
        }
        JsonNode config = ConfigFile.read(directory);
        Arena arena = Arena.ofShared();
        try {
            return new Checkpoint(directory, config, arena, WeightFiles.open(directory, arena));
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /// The folder this was opened from.
    public Path directory() {
        return directory;
    }

    /// Another JSON file beside the weights, such as `generation_config.json`, or beside those of
    /// the base where an adapter has none; empty where there is none.
    ///
    /// @throws CorruptCheckpointException where it is no JSON object
    public Optional<JsonNode> otherConfig(String name) {
        if (Files.exists(directory.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
            return Optional.of(ConfigFile.read(directory, name));
        }
        return adapted == null ? Optional.empty() : adapted.otherConfig(name);
    }

    /// The content of `config.json`.
    public JsonNode config() {
        return config;
    }

    /// All tensors by the name they have in the files, sorted.
    public SequencedMap<String, TensorInfo> tensors() {
        return tensors;
    }

    /// Whether this is an adapter on a base, of which its own folder holds but the difference.
    public boolean adapts() {
        return adapted != null;
    }

    /// The factors of a matrix that an adapter changes; empty for all other tensors.
    public Optional<LowRank> lowRank(String name) {
        return Optional.ofNullable(lowRank.get(name));
    }

    /// A tensor's bytes in the file, read-only. Not necessarily aligned to the element size. What
    /// an adapter changes is made anew.
    ///
    /// @throws RefusedException when there is no such tensor
    public MemorySegment data(String name) {
        TensorInfo tensor = info(name);
        LowRank factors = lowRank.get(name);
        if (factors != null) {
            MemorySegment made = Arena.ofAuto().allocate(tensor.bytes(), Long.BYTES);
            factors.write(0, made);
            return made.asReadOnly();
        }
        return Objects.requireNonNull(fileOf.get(name)).data(tensor);
    }

    /// Copies elements of a floating-point tensor of any dtype as fp32, as many as the target
    /// holds.
    ///
    /// @param fromElement index of the first element wanted
    /// @param target native memory, or a heap segment over a `float[]`
    public void readFloats(String name, long fromElement, MemorySegment target) {
        Dtype dtype = info(name).dtype();
        long count = target.byteSize() / Float.BYTES;
        Kernels.widen(dtype, data(name), fromElement, target, count);
    }

    /// Looks for NaNs and infinities in a tensor. Integer tensors have none.
    public Optional<NonFinite> firstNonFinite(String name) {
        TensorInfo tensor = info(name);
        return tensor.dtype().floating()
                ? Kernels.firstNonFinite(tensor.dtype(), data(name), tensor.elements())
                : Optional.empty();
    }

    /// Unmaps the files.
    @Override
    public void close() {
        arena.close();
    }

    private TensorInfo info(String name) {
        @Nullable TensorInfo tensor = tensors.get(name);
        if (tensor == null) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.TENSOR_MISSING,
                            directory.toString(),
                            "has no tensor '%s'".formatted(name)));
        }
        return tensor;
    }
}
