package dev.tributary.k8s;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/// The resources of `k8s/base`, as written and as `kubectl kustomize` renders them.
final class Manifests {
    static final Path BASE = Path.of("base");
    private static final ObjectMapper YAML = new ObjectMapper(new YAMLFactory());

    private Manifests() {}

    static List<JsonNode> written() {
        List<JsonNode> documents = new ArrayList<>();
        for (JsonNode file : read(BASE.resolve("kustomization.yaml")).getFirst().get("resources")) {
            documents.addAll(read(BASE.resolve(file.asText())));
        }
        return documents;
    }

    /// The rendered base, written to `target/rendered.yaml`; empty where there is no kubectl.
    static Optional<Path> rendered() throws IOException, InterruptedException {
        Path target = Path.of("target", "rendered.yaml");
        Process kubectl;
        try {
            kubectl =
                    new ProcessBuilder("kubectl", "kustomize", BASE.toString())
                            .redirectOutput(target.toFile())
                            .redirectError(Path.of("target", "kubectl.log").toFile())
                            .start();
        } catch (IOException noKubectl) {
            return Optional.empty();
        }
        if (!kubectl.waitFor(60, TimeUnit.SECONDS) || kubectl.exitValue() != 0) {
            throw new IllegalStateException("kubectl kustomize failed; see target/kubectl.log");
        }
        return Optional.of(target);
    }

    static List<JsonNode> read(Path file) {
        try (MappingIterator<JsonNode> documents =
                YAML.readerFor(JsonNode.class).readValues(file.toFile())) {
            return documents.readAll();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static JsonNode one(List<JsonNode> documents, String kind, String name) {
        return documents.stream()
                .filter(document -> document.path("kind").asText().equals(kind))
                .filter(document -> document.at("/metadata/name").asText().equals(name))
                .findFirst()
                .orElseThrow(() -> new AssertionError("no " + kind + " " + name));
    }
}
