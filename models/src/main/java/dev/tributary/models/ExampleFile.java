package dev.tributary.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// A file of examples, one JSON object a line: `text`, for pairs `text_pair`, and `label` (a name,
/// or a number counting from 0). Where texts are generated, the expected one is the label, and
/// `source` and `target` may stand for `text` and `label`. Images are under `image`, or `file_name`
/// as in Hugging Face's image folders: a file in the folder of this one, or a data URI. Other keys
/// are let be.
///
/// @param labels the task's; null where any text may be expected
/// @param ofImages whether the examples are images
record ExampleFile(Path file, @Nullable List<String> labels, boolean ofImages) {
    private static final JsonMapper JSON = new JsonMapper();
    private static final int FAULTS_TOLD = 20;
    private static final String IMAGE = "image";

    /// Reads all examples and adds what is wrong with the file to the faults.
    List<Example> read(FailureCode code, boolean labelNeeded, List<Fault> faults) {
        List<Example> examples = new ArrayList<>();
        List<Fault> found = new ArrayList<>();
        try (BufferedReader reader = Files.newBufferedReader(file)) {
            int number = 0;
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                number++;
                if (!line.isBlank()) {
                    String where = "%s line %d".formatted(file, number);
                    Example example = parse(line, code, labelNeeded, where, found);
                    if (example != null) {
                        examples.add(example);
                    }
                }
            }
        } catch (IOException e) {
            faults.add(new Fault(code, file.toString(), "cannot be read: %s".formatted(e)));
        }
        faults.addAll(found.subList(0, Math.min(FAULTS_TOLD, found.size())));
        if (found.size() > FAULTS_TOLD) {
            String more = "%d more lines with faults".formatted(found.size() - FAULTS_TOLD);
            faults.add(new Fault(code, file.toString(), more));
        }
        return examples;
    }

    private @Nullable Example parse(
            String line, FailureCode code, boolean labelNeeded, String where, List<Fault> faults) {
        JsonNode node;
        try {
            node = JSON.readTree(line);
        } catch (JsonProcessingException e) {
            String problem = "no JSON: %s".formatted(e.getOriginalMessage());
            faults.add(new Fault(code, where, problem));
            return null;
        }
        return ofImages
                ? image(node, code, labelNeeded, where, faults)
                : text(node, line, code, labelNeeded, where, faults);
    }

    private @Nullable Example image(
            JsonNode node,
            FailureCode code,
            boolean labelNeeded,
            String where,
            List<Fault> faults) {
        String given = node.path(node.has(IMAGE) ? IMAGE : "file_name").asText("");
        if (given.isEmpty()) {
            faults.add(
                    new Fault(
                            code,
                            where,
                            "no image, expected a file's name or a data URI under 'image'"));
            return null;
        }
        String uri = ImageData.isUri(given) ? given : imageFile(given, code, where, faults);
        JsonNode label = node.path("label");
        return uri == null ? null : labelled(uri, null, label, code, labelNeeded, where, faults);
    }

    private @Nullable String imageFile(
            String name, FailureCode code, String where, List<Fault> faults) {
        Path folder = file.toAbsolutePath().normalize().getParent();
        Path image = file.resolveSibling(name).toAbsolutePath().normalize();
        String problem;
        if (folder == null || !image.startsWith(folder)) {
            problem = "is not in the folder of this file";
        } else if (!Files.isRegularFile(image)) {
            problem = "is not there";
        } else {
            try {
                byte[] bytes = Files.readAllBytes(image);
                Optional<ImageData.Format> format = ImageData.Format.of(bytes);
                if (format.isPresent()) {
                    return ImageData.uri(format.get(), bytes);
                }
                problem = "is none of %s".formatted(List.of(ImageData.Format.values()));
            } catch (IOException e) {
                problem = "cannot be read: %s".formatted(e.getMessage());
            }
        }
        faults.add(
                new Fault(
                        code,
                        where,
                        "image '%s' %s, expected an image file beside this file or a data URI"
                                .formatted(shortened(name), problem)));
        return null;
    }

    private @Nullable Example text(
            JsonNode node,
            String line,
            FailureCode code,
            boolean labelNeeded,
            String where,
            List<Fault> faults) {
        JsonNode text = either(node, "text", "source");
        JsonNode pair = node.path("text_pair");
        if (!text.isTextual() || !(pair.isTextual() || pair.isMissingNode() || pair.isNull())) {
            faults.add(
                    new Fault(
                            code,
                            where,
                            "%s, expected texts under 'text' and, for pairs, 'text_pair'"
                                    .formatted(shortened(line))));
            return null;
        }
        return labelled(
                text.asText(),
                pair.isTextual() ? pair.asText() : null,
                either(node, "label", "target"),
                code,
                labelNeeded,
                where,
                faults);
    }

    private @Nullable Example labelled(
            String text,
            @Nullable String pair,
            JsonNode given,
            FailureCode code,
            boolean labelNeeded,
            String where,
            List<Fault> faults) {
        String label = label(given);
        boolean none = given.isMissingNode() || given.isNull();
        if (label == null && (labelNeeded || !none)) {
            faults.add(
                    new Fault(
                            none ? code : FailureCode.LABELS_MISMATCH,
                            where,
                            "label is %s, expected %s"
                                    .formatted(
                                            none ? "missing" : given,
                                            labels == null ? "a text" : "one of " + labels)));
            return null;
        }
        return new Example(text, pair, label);
    }

    private JsonNode either(JsonNode node, String key, String other) {
        return labels == null && !node.has(key) ? node.path(other) : node.path(key);
    }

    private @Nullable String label(JsonNode given) {
        if (labels == null) {
            return given.isTextual() ? given.asText() : null;
        }
        if (given.isTextual()) {
            return labels.contains(given.asText()) ? given.asText() : null;
        }
        if (given.isInt() && given.asInt() >= 0 && given.asInt() < labels.size()) {
            return labels.get(given.asInt());
        }
        return null;
    }

    private static String shortened(String line) {
        return line.length() <= 80 ? line : line.substring(0, 80) + "...";
    }

    /// Writes examples, one a line; equal examples give equal bytes.
    void write(List<Example> examples) {
        try (BufferedWriter lines = Files.newBufferedWriter(file)) {
            write(examples, lines);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write %s".formatted(file), e);
        }
    }

    private void write(List<Example> examples, BufferedWriter lines) throws IOException {
        for (Example example : examples) {
            ObjectNode node =
                    JSON.createObjectNode().put(ofImages ? IMAGE : "text", example.text());
            if (example.textPair() != null) {
                node.put("text_pair", example.textPair());
            }
            if (example.label() != null) {
                node.put("label", example.label());
            }
            lines.append(node.toString()).append('\n');
        }
    }
}
