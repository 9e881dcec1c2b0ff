package dev.tributary.tensors;

import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Finds and opens the weight files of a checkpoint's folder: one file, or the shards its index
/// names. The index and the shards have to agree on every tensor.
final class WeightFiles {
    static final String SINGLE = "model.safetensors";
    static final String INDEX = "model.safetensors.index.json";
    private static final String PICKLED = "pytorch_model.bin";
    private static final String WEIGHT_MAP = "weight_map";
    private static final int MAX_SHARDS = 10_000;
    private static final Pattern SHARD_NAME =
            Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,200}\\.safetensors");

    private WeightFiles() {}

    static List<SafetensorsFile> open(Path directory, Arena arena) {
        boolean single = exists(directory, SINGLE);
        boolean index = exists(directory, INDEX);
        if (single && index) {
            throw new CorruptCheckpointException(
                    directory,
                    CorruptionKind.AMBIGUOUS_WEIGHTS,
                    "holds both %s and %s: remove the one that is not meant"
                            .formatted(SINGLE, INDEX));
        }
        if (index) {
            return openShards(directory, arena);
        }
        if (single) {
            return List.of(SafetensorsFile.open(RegularFile.in(directory, SINGLE), arena));
        }
        if (exists(directory, PICKLED) || exists(directory, PICKLED + ".index.json")) {
            throw new CorruptCheckpointException(
                    directory,
                    CorruptionKind.UNSAFE_FORMAT,
                    "holds its weights as a Python pickle, expected %s: save it with safe_serialization"
                            .formatted(SINGLE));
        }
        throw new CorruptCheckpointException(
                directory,
                CorruptionKind.NO_WEIGHTS,
                "holds neither %s nor %s".formatted(SINGLE, INDEX));
    }

    private static List<SafetensorsFile> openShards(Path directory, Arena arena) {
        Path indexFile = RegularFile.in(directory, INDEX);
        Map<String, String> shardOf = readIndex(indexFile);
        Map<String, SafetensorsFile> opened = new TreeMap<>();
        for (String shard : new TreeSet<>(shardOf.values())) {
            if (!exists(directory, shard)) {
                throw new CorruptCheckpointException(
                        indexFile,
                        CorruptionKind.SHARD_MISSING,
                        "names the shard '%s', which is not there: incomplete upload?"
                                .formatted(shard));
            }
            opened.put(shard, SafetensorsFile.open(RegularFile.in(directory, shard), arena));
        }
        checkAgreement(indexFile, shardOf, opened);
        return new ArrayList<>(opened.values());
    }

    private static void checkAgreement(
            Path index, Map<String, String> shardOf, Map<String, SafetensorsFile> opened) {
        Map<String, String> holder = new HashMap<>();
        opened.forEach((shard, file) -> {
            for (String name : file.header().tensors().keySet()) {
                @Nullable String other = holder.put(name, shard);
                if (other != null) {
                    throw new CorruptCheckpointException(
                            index,
                            CorruptionKind.TENSOR_IN_TWO_SHARDS,
                            "tensor '%s' is in '%s' and in '%s', expected in one"
                                    .formatted(name, other, shard));
                }
            }
        });
        for (String name : union(shardOf, holder)) {
            @Nullable String said = shardOf.get(name);
            @Nullable String found = holder.get(name);
            if (said == null || !said.equals(found)) {
                throw new CorruptCheckpointException(
                        index,
                        CorruptionKind.INDEX_MISMATCH,
                        "tensor '%s' should be in %s by the index but is in %s"
                                .formatted(
                                        StrictJson.shown(name), orNowhere(said), orNowhere(found)));
            }
        }
    }

    private static Set<String> union(Map<String, String> first, Map<String, String> second) {
        TreeSet<String> names = new TreeSet<>(first.keySet());
        names.addAll(second.keySet());
        return names;
    }

    private static String orNowhere(@Nullable String shard) {
        return shard == null ? "no shard" : "'" + shard + "'";
    }

    private static Map<String, String> readIndex(Path file) {
        byte[] json =
                SmallFile.read(file, SafetensorsHeader.MAX_BYTES, CorruptionKind.INDEX_INVALID);
        Map<String, String> shardOf = new HashMap<>();
        StrictJson.Names names = new StrictJson.Names();
        try (StrictJson in = StrictJson.of(file, json, StrictJson.INDEX)) {
            in.beginObject();
            for (String key = in.nextName(names); key != null; key = in.nextName(names)) {
                if (key.equals(WEIGHT_MAP)) {
                    readWeightMap(file, in, shardOf);
                } else {
                    in.skipValue();
                }
            }
            in.end();
        }
        if (shardOf.isEmpty()) {
            throw new CorruptCheckpointException(
                    file, CorruptionKind.INDEX_INVALID, "has no weight_map, or an empty one");
        }
        return shardOf;
    }

    private static void readWeightMap(Path file, StrictJson in, Map<String, String> shardOf) {
        in.beginObject(CorruptionKind.INDEX_INVALID, WEIGHT_MAP);
        StrictJson.Names names = new StrictJson.Names();
        TreeSet<String> shards = new TreeSet<>();
        for (String name = in.nextName(names); name != null; name = in.nextName(names)) {
            String shard = in.nextText(CorruptionKind.INDEX_INVALID, WEIGHT_MAP);
            if (!SHARD_NAME.matcher(shard).matches()) {
                throw new CorruptCheckpointException(
                        file,
                        CorruptionKind.INDEX_UNSAFE_NAME,
                        "names the shard '%s', expected the plain name of a .safetensors file beside it"
                                .formatted(StrictJson.shown(shard)));
            }
            if (shards.add(shard) && shards.size() > MAX_SHARDS) {
                throw new CorruptCheckpointException(
                        file,
                        CorruptionKind.INDEX_INVALID,
                        "names more than %d shards, the limit".formatted(MAX_SHARDS));
            }
            shardOf.put(name, shard);
        }
    }

    private static boolean exists(Path directory, String name) {
        return Files.exists(directory.resolve(name), LinkOption.NOFOLLOW_LINKS);
    }
}
