package dev.tributary.merging;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;

/// A language model of one layer with a vocabulary of its own, for tests of how vocabularies are
/// aligned: embeddings, a head that may be tied to them, and a bias over the vocabulary.
final class TinyModel {
    static final int COLUMNS = 24;
    static final String EMBEDDINGS = "model.embed_tokens.weight";
    static final String HEAD = "lm_head.weight";
    static final String BIAS = "final_logits_bias";
    private static final String LAYER = "model.layers.0.up.weight";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final List<String> tokens;
    private final Map<String, Integer> ids = new HashMap<>();
    private final int rows;
    private final Dtype dtype;
    private final Map<String, float[]> values = new LinkedHashMap<>();
    private final List<String> addedTokens = new ArrayList<>();
    private String config = "";

    /// @param rows at least as many as there are tokens
    TinyModel(List<String> tokens, int rows, Dtype dtype, boolean tied, long seed) {
        this.tokens = List.copyOf(tokens);
        tokens.forEach(token -> ids.put(token, ids.size()));
        this.rows = rows;
        this.dtype = dtype;
        Random random = new Random(seed);
        values.put(EMBEDDINGS, random(random, rows * COLUMNS));
        if (!tied) {
            values.put(HEAD, random(random, rows * COLUMNS));
        }
        values.put(BIAS, random(random, rows));
        values.put(LAYER, random(random, COLUMNS * COLUMNS));
    }

    private float[] random(Random random, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return stored(values, dtype);
    }

    /// The same tokens and layer with other embeddings, as written by hand.
    private TinyModel(TinyModel other, List<String> tokens, int rows, Map<String, float[]> table) {
        this.tokens = List.copyOf(tokens);
        tokens.forEach(token -> ids.put(token, ids.size()));
        this.rows = rows;
        this.dtype = other.dtype;
        other.values.forEach((name, own) -> values.put(name, table.getOrDefault(name, own)));
    }

    /// Values as a dtype keeps them.
    static float[] stored(float[] values, Dtype dtype) {
        MemorySegment bytes = MemorySegment.ofArray(new byte[values.length * dtype.bytes()]);
        Kernels.narrow(MemorySegment.ofArray(values), dtype, bytes, values.length);
        float[] kept = new float[values.length];
        Kernels.widen(dtype, bytes, 0, MemorySegment.ofArray(kept), kept.length);
        return kept;
    }

    TinyModel config(String more) {
        config = more;
        return this;
    }

    /// Says that a token was added to the tokenizer's model.
    TinyModel added(String token) {
        addedTokens.add(token);
        return this;
    }

    List<String> tokens() {
        return tokens;
    }

    int rows() {
        return rows;
    }

    /// The row of a token; negative where it has none.
    int id(String token) {
        return ids.getOrDefault(token, -1);
    }

    Dtype dtype() {
        return dtype;
    }

    List<String> vocabularyTensors() {
        return values.keySet().stream().filter(name -> !name.equals(LAYER)).toList();
    }

    float[] of(String tensor) {
        return Objects.requireNonNull(values.get(tensor), tensor);
    }

    /// A row of a tensor over the vocabulary.
    float[] row(String tensor, int row) {
        int columns = tensor.equals(BIAS) ? 1 : COLUMNS;
        float[] found = new float[columns];
        System.arraycopy(of(tensor), row * columns, found, 0, columns);
        return found;
    }

    /// This model with the rows of other tokens.
    TinyModel withRows(List<String> wanted, Map<String, float[]> tables) {
        int height = Objects.requireNonNull(tables.get(EMBEDDINGS), EMBEDDINGS).length / COLUMNS;
        return new TinyModel(this, wanted, height, tables);
    }

    /// Writes weights, configuration and a tokenizer in one file.
    Path write(Path folder) {
        return write(folder, 1, true);
    }

    /// Writes the weights in so many files.
    Path write(Path folder, int shards, boolean tokenizer) {
        try {
            Files.createDirectories(folder);
            Files.writeString(
                    folder.resolve("config.json"),
                    "{\"model_type\": \"arrows\", \"vocab_size\": %d%s}".formatted(rows, config));
            if (tokenizer) {
                Files.writeString(folder.resolve("tokenizer.json"), tokenizer());
            }
            weights(folder, shards);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }

    private void weights(Path folder, int shards) throws IOException {
        if (shards == 1) {
            file(folder.resolve("model.safetensors"), List.copyOf(values.keySet()));
            return;
        }
        ObjectNode index = JSON.createObjectNode();
        ObjectNode map = index.putObject("weight_map");
        List<String> names = List.copyOf(values.keySet());
        for (int shard = 0; shard < shards; shard++) {
            String file = "model-%05d-of-%05d.safetensors".formatted(shard + 1, shards);
            List<String> inShard = new ArrayList<>();
            for (int n = shard; n < names.size(); n += shards) {
                inShard.add(names.get(n));
                map.put(names.get(n), file);
            }
            file(folder.resolve(file), inShard);
        }
        Files.writeString(
                folder.resolve("model.safetensors.index.json"), JSON.writeValueAsString(index));
    }

    private void file(Path file, List<String> names) {
        List<TensorSpec> specs =
                names.stream().map(n -> new TensorSpec(n, dtype, shape(n))).toList();
        try (CheckpointWriter writer =
                CheckpointWriter.create(file, specs, CheckpointWriter.PYTORCH)) {
            for (String name : writer.tensors().keySet()) {
                float[] own = of(name);
                MemorySegment bytes = MemorySegment.ofArray(new byte[own.length * dtype.bytes()]);
                Kernels.narrow(MemorySegment.ofArray(own), dtype, bytes, own.length);
                writer.write(name, bytes);
            }
            writer.finish();
        }
    }

    private List<Long> shape(String name) {
        return switch (name) {
            case BIAS -> List.of(1L, (long) rows);
            case LAYER -> List.of((long) COLUMNS, (long) COLUMNS);
            default -> List.of((long) rows, (long) COLUMNS);
        };
    }

    private String tokenizer() throws IOException {
        ObjectNode root = JSON.createObjectNode();
        root.put("version", "1.0");
        var added = root.putArray("added_tokens");
        ObjectNode model = root.putObject("model");
        model.put("type", "BPE");
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            if (addedTokens.contains(tokens.get(id))) {
                added.addObject().put("id", id).put("content", tokens.get(id)).put("special", true);
            } else {
                vocabulary.put(tokens.get(id), id);
            }
        }
        model.putArray("merges");
        return JSON.writeValueAsString(root);
    }

    /// A member whose expert lies in a folder.
    static Member member(dev.tributary.tensors.Checkpoint expert, String task) {
        return new Member(task, expert, Digest.ofText(task), null, new TreeMap<>());
    }
}
