package dev.tributary.tensors;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Reads a checkpoint's `config.json`.
final class ConfigFile {
    static final String NAME = "config.json";
    private static final long MAX_BYTES = 4L << 20;
    private static final ObjectMapper MAPPER =
            JsonMapper.builder()
                    .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private ConfigFile() {}

    static JsonNode read(Path directory) {
        return read(directory, NAME);
    }

    static JsonNode read(Path directory, String name) {
        if (!Files.exists(directory.resolve(name), LinkOption.NOFOLLOW_LINKS)) {
            throw new CorruptCheckpointException(
                    directory.resolve(name),
                    CorruptionKind.CONFIG_MISSING,
                    "does not exist: is this the folder of a model?");
        }
        Path file = RegularFile.in(directory, name);
        byte[] bytes = SmallFile.read(file, MAX_BYTES, CorruptionKind.CONFIG_INVALID);
        try {
            JsonNode config = MAPPER.readTree(bytes);
            if (config == null || !config.isObject()) {
                throw new CorruptCheckpointException(
                        file, CorruptionKind.CONFIG_INVALID, "is not a JSON object");
            }
            return config;
        } catch (IOException e) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.CONFIG_INVALID,
                    "is not readable as JSON: %s"
                            .formatted(StrictJson.shown(String.valueOf(e.getMessage()))),
                    e);
        }
    }
}
