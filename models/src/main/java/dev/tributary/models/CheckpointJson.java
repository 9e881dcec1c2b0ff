package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Reads the small JSON files that lie beside a checkpoint's weights.
final class CheckpointJson {
    private static final JsonMapper JSON = new JsonMapper();

    private CheckpointJson() {}

    /// @throws RefusedException where it cannot be read
    static JsonNode read(Path file) {
        try {
            return JSON.readTree(Files.readString(file));
        } catch (IOException e) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.CORRUPT_CHECKPOINT,
                            file.toString(),
                            "cannot be read: %s".formatted(e.getMessage())),
                    e);
        }
    }
}
