package dev.tributary.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Where the parts of a running Tributary are found.
///
/// @param bootstrapServers the broker's `host:port`
/// @param registryUrl the schema registry's Confluent-compatible address
/// @param store the folder artifacts lie in
/// @param mergeWorker the merge-worker's address, when it runs beside us
/// @param evalWorker the eval-worker's address, when it runs beside us
/// @param pid the process that holds the local stack up, 0 when there is none
public record Connection(
        String bootstrapServers,
        String registryUrl,
        Path store,
        @Nullable URI mergeWorker,
        @Nullable URI evalWorker,
        long pid) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String FILE = "stack.json";

    /// The stack that runs on this data folder, if one does.
    public static Optional<Connection> of(Path data) {
        Path file = data.resolve(FILE);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            JsonNode json = JSON.readTree(file.toFile());
            Connection connection =
                    new Connection(
                            json.path("bootstrapServers").asText(),
                            json.path("registryUrl").asText(),
                            Path.of(json.path("store").asText()),
                            uri(json, "mergeWorker"),
                            uri(json, "evalWorker"),
                            json.path("pid").asLong());
            return connection.isAlive() ? Optional.of(connection) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /// Writes the connection beside the data, so that other commands find the stack.
    void write(Path data) {
        ObjectNode json = JSON.createObjectNode();
        json.put("bootstrapServers", bootstrapServers);
        json.put("registryUrl", registryUrl);
        json.put("store", store.toString());
        json.put("mergeWorker", mergeWorker == null ? null : mergeWorker.toString());
        json.put("evalWorker", evalWorker == null ? null : evalWorker.toString());
        json.put("pid", pid);
        Path file = data.resolve(FILE);
        Path aside = data.resolve(FILE + ".new");
        try {
            JSON.writerWithDefaultPrettyPrinter().writeValue(aside.toFile(), json);
            try {
                Files.move(
                        aside,
                        file,
                        StandardCopyOption.ATOMIC_MOVE,
                        StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException _) {
                Files.move(aside, file, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    static void forget(Path data) {
        try {
            Files.deleteIfExists(data.resolve(FILE));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot delete " + data.resolve(FILE), e);
        }
    }

    private boolean isAlive() {
        return ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false);
    }

    private static @Nullable URI uri(JsonNode json, String field) {
        JsonNode value = json.path(field);
        return value.isTextual() ? URI.create(value.asText()) : null;
    }
}
