package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/// Reference values computed with transformers and torch, as files beside the tests.
final class Golden {
    private static final ObjectMapper JSON = new ObjectMapper();

    private Golden() {}

    /// Tensors by name.
    record Tensors(Map<String, float[]> byName) {
        float[] get(String name) {
            return Objects.requireNonNull(byName.get(name), name);
        }
    }

    static Path path(String name) {
        try {
            URI uri = Objects.requireNonNull(Golden.class.getResource(name), name).toURI();
            return Path.of(uri);
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    static JsonNode json(String name) {
        try {
            return JSON.readTree(Files.readString(path(name)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The F32 tensors of a safetensors file.
    static Tensors tensors(String name) {
        return tensors(path(name));
    }

    static Tensors tensors(Path file) {
        try {
            ByteBuffer bytes =
                    ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
            int header = (int) bytes.getLong(0);
            JsonNode tensors =
                    JSON.readTree(new String(bytes.array(), 8, header, StandardCharsets.UTF_8));
            Map<String, float[]> values = new TreeMap<>();
            for (Map.Entry<String, JsonNode> tensor : tensors.properties()) {
                if ("F32".equals(tensor.getValue().path("dtype").asText())) {
                    values.put(tensor.getKey(), floats(bytes, 8 + header, tensor.getValue()));
                }
            }
            return new Tensors(values);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static float[] floats(ByteBuffer bytes, int data, JsonNode tensor) {
        int begin = tensor.path("data_offsets").path(0).asInt();
        int end = tensor.path("data_offsets").path(1).asInt();
        float[] values = new float[(end - begin) / Float.BYTES];
        for (int i = 0; i < values.length; i++) {
            values[i] = bytes.getFloat(data + begin + i * Float.BYTES);
        }
        return values;
    }
}
