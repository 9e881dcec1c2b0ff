package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// A checkpoint folder made to be refused.
///
/// @param name what is wrong with it, for the test's name
/// @param expected how it has to be refused
/// @param damage puts what is wrong into a folder that is otherwise fine
record HostileFile(String name, CorruptionKind expected, Damage damage) {
    static final String ONE_FLOAT =
            "\"x\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}";

    interface Damage {
        void to(Path folder) throws IOException;
    }

    /// A folder whose `model.safetensors` has these bytes.
    static HostileFile bytes(String name, CorruptionKind expected, byte[] bytes) {
        return new HostileFile(
                name, expected, folder -> Files.write(folder.resolve("model.safetensors"), bytes));
    }

    /// A folder whose `model.safetensors` has this header and this much data.
    static HostileFile header(String name, CorruptionKind expected, String json, int dataBytes) {
        return bytes(name, expected, safetensors(json, dataBytes));
    }

    /// A folder whose only tensor is described like this, with four bytes of data.
    static HostileFile tensor(String name, CorruptionKind expected, String description) {
        return header(name, expected, "{\"x\":" + description + "}", 4);
    }

    /// A folder with two good shards, `a.safetensors` holding tensor `a` and `b.safetensors`
    /// holding tensor `b`, and this index.
    static HostileFile index(String name, CorruptionKind expected, String json) {
        return new HostileFile(
                name,
                expected,
                folder -> {
                    Files.write(folder.resolve("a.safetensors"), oneFloat("a"));
                    Files.write(folder.resolve("b.safetensors"), oneFloat("b"));
                    Files.writeString(folder.resolve("model.safetensors.index.json"), json);
                });
    }

    static byte[] oneFloat(String tensor) {
        return safetensors("{" + ONE_FLOAT.replace("x", tensor) + "}", 4);
    }

    static byte[] safetensors(String json, int dataBytes) {
        return withLength(json.getBytes(StandardCharsets.UTF_8), dataBytes);
    }

    static byte[] withLength(byte[] header, int dataBytes) {
        return withClaimedLength(header.length, header, dataBytes);
    }

    static byte[] withClaimedLength(long claimed, byte[] header, int dataBytes) {
        return ByteBuffer.allocate(Long.BYTES + header.length + dataBytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(claimed)
                .put(header)
                .array();
    }

    /// A folder that is fine but for the damage.
    void makeIn(Path folder) {
        try {
            Files.writeString(folder.resolve("config.json"), "{\"model_type\":\"bert\"}");
            damage.to(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public String toString() {
        return name;
    }
}
