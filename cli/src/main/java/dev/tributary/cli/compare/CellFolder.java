package dev.tributary.cli.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;

/// Finished cells on disk, by content: a comparison that was interrupted goes on where it was.
final class CellFolder {
    private static final ObjectMapper JSON = new ObjectMapper();

    /// What a cell's file holds: with another content it has another name.
    private static final String FORMAT = "3 ";

    private final Path folder;

    CellFolder(Path folder) {
        this.folder = folder;
    }

    /// A finished cell.
    ///
    /// @param identity everything its result depends on
    Optional<Cell> find(String identity) {
        Path file = file(identity);
        if (!Files.isRegularFile(file)) {
            return Optional.empty();
        }
        try {
            JsonNode json = JSON.readTree(file.toFile());
            TreeMap<String, String> options = new TreeMap<>();
            json.path("options")
                    .properties()
                    .forEach(e -> options.put(e.getKey(), e.getValue().asText()));
            TreeMap<String, Retention> retention = new TreeMap<>();
            json.path("retention")
                    .properties()
                    .forEach(e -> retention.put(e.getKey(), retention(e.getValue())));
            return Optional.of(
                    new Cell(
                            json.path("candidate").asText(),
                            json.path("size").asInt(),
                            json.path("seed").asLong(),
                            options,
                            retention,
                            json.path("seconds").asDouble()));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /// Keeps a finished cell.
    void keep(String identity, Cell cell) {
        ObjectNode json = JSON.createObjectNode();
        json.put("candidate", cell.candidate());
        json.put("size", cell.size());
        json.put("seed", cell.seed());
        json.put("seconds", cell.seconds());
        ObjectNode options = json.putObject("options");
        cell.options().forEach(options::put);
        ObjectNode retention = json.putObject("retention");
        cell.retention()
                .forEach((task, kept) -> {
                    ObjectNode one = retention.putObject(task);
                    one.put("value", kept.value());
                    ArrayNode influences = one.putArray("influences");
                    kept.influences().forEach(influences::add);
                });
        Path file = file(identity);
        try {
            Files.createDirectories(folder);
            Path aside = file.resolveSibling(file.getFileName() + ".new");
            JSON.writeValue(aside.toFile(), json);
            Files.move(aside, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    private static Retention retention(JsonNode json) {
        List<Float> influences = new ArrayList<>();
        json.path("influences").forEach(influence -> influences.add(influence.floatValue()));
        return new Retention(json.path("value").asDouble(), influences);
    }

    private Path file(String identity) {
        return folder.resolve(Digest.ofText(FORMAT + identity).hex() + ".json");
    }
}
