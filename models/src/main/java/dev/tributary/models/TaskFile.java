package dev.tributary.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads one task definition and collects what is wrong with it.
final class TaskFile {
    static final String YAML = "task.yaml";

    private static final String META = "meta.json";
    private static final String PROMPT = "prompt";
    private static final String MAX_NEW_TOKENS = "max_new_tokens";
    private static final String CHAT = "chat";
    private static final String SYSTEM = "system";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");
    private static final Set<String> KEYS =
            Set.of(
                    "name",
                    "kind",
                    "metric",
                    "labels",
                    "max_tokens",
                    PROMPT,
                    MAX_NEW_TOKENS,
                    CHAT,
                    SYSTEM);
    private static final int LEAST_TOKENS = 8;
    private static final int MOST_TOKENS = 8192;

    private final Path given;
    private final List<Fault> faults = new ArrayList<>();

    TaskFile(Path given) {
        this.given = given;
    }

    TaskDefinition read() {
        Path meta = given.resolve(META);
        Path yaml = Files.isDirectory(given) ? given.resolve(YAML) : given;
        boolean dataFolder = !Files.exists(yaml) && Files.isRegularFile(meta);
        Path file = dataFolder ? meta : yaml;
        JsonNode definition = parse(file, dataFolder ? new JsonMapper() : new YAMLMapper());
        refuseIfFaulty();
        Map<Split, Path> files = dataFolder ? dataFiles(meta) : namedFiles(definition, yaml);
        TaskDefinition task = read(definition, file, files);
        refuseIfFaulty();
        return task;
    }

    /// Reads the definition in a staged folder. Which files there are is fixed; what the definition
    /// says of them is not followed.
    TaskDefinition readStaged() {
        Path yaml = given.resolve(YAML);
        JsonNode definition = parse(yaml, new YAMLMapper());
        refuseIfFaulty();
        TaskDefinition task = read(definition, yaml, TaskFolder.files(given));
        refuseIfFaulty();
        return task;
    }

    private JsonNode parse(Path file, com.fasterxml.jackson.databind.ObjectMapper mapper) {
        if (!Files.isRegularFile(file)) {
            refuse(
                    FailureCode.UNKNOWN_TASK,
                    given,
                    "no task here, expected a YAML file or a folder with %s or %s"
                            .formatted(YAML, META));
            return mapper.createObjectNode();
        }
        try {
            JsonNode node = mapper.readTree(Files.readString(file));
            if (!node.isObject()) {
                refuse(FailureCode.BAD_TASK, file, "no task definition, expected keys and values");
            }
            return node;
        } catch (JsonProcessingException e) {
            refuse(FailureCode.BAD_TASK, file, "cannot be parsed: " + e.getOriginalMessage());
        } catch (IOException e) {
            refuse(FailureCode.BAD_TASK, file, "cannot be read: " + e);
        }
        return mapper.createObjectNode();
    }

    private TaskDefinition read(JsonNode definition, Path file, Map<Split, Path> files) {
        boolean dataFolder = file.endsWith(META);
        String name = definition.path(dataFolder ? "task" : "name").asText("");
        if (!NAME.matcher(name).matches()) {
            refuse(
                    FailureCode.BAD_TASK,
                    file,
                    "name is '%s', expected letters, digits, '.', '_' and '-'".formatted(name));
        }
        TaskKind kind = kind(definition, file, dataFolder);
        return new TaskDefinition(
                name,
                kind,
                metric(definition, file, kind),
                labels(definition, file, kind),
                number(
                        definition,
                        "max_tokens",
                        file,
                        TaskDefinition.DEFAULT_MAX_TOKENS,
                        LEAST_TOKENS,
                        MOST_TOKENS),
                generation(definition, file, kind),
                files);
    }

    /// A data folder without labels is of texts to generate.
    private TaskKind kind(JsonNode definition, Path file, boolean dataFolder) {
        boolean unlabelled = dataFolder && definition.path("labels").isEmpty();
        TaskKind unsaid = unlabelled ? TaskKind.GENERATION : TaskKind.CLASSIFICATION;
        String given = definition.path("kind").asText(unsaid.id());
        Optional<TaskKind> kind = TaskKind.of(given);
        if (kind.isEmpty()) {
            refuse(
                    FailureCode.BAD_TASK,
                    file,
                    "kind is '%s', expected one of %s"
                            .formatted(
                                    given,
                                    Arrays.stream(TaskKind.values()).map(TaskKind::id).toList()));
        }
        return kind.orElse(unsaid);
    }

    private Metric metric(JsonNode definition, Path file, TaskKind kind) {
        List<Metric> known = Metric.of(kind);
        String given = definition.path("metric").asText(known.getFirst().id());
        return known.stream()
                .filter(metric -> metric.id().equals(given))
                .findFirst()
                .orElseGet(() -> {
                    refuse(
                            FailureCode.UNKNOWN_METRIC,
                            file,
                            "metric is '%s', expected one of %s"
                                    .formatted(given, known.stream().map(Metric::id).toList()));
                    return known.getFirst();
                });
    }

    private @Nullable TextGeneration generation(JsonNode definition, Path file, TaskKind kind) {
        if (kind != TaskKind.GENERATION) {
            for (String key : List.of(PROMPT, MAX_NEW_TOKENS, CHAT, SYSTEM)) {
                if (definition.has(key)) {
                    refuse(
                            FailureCode.BAD_TASK,
                            file,
                            "%s is given, but the task chooses a label: expected it with kind: generation only"
                                    .formatted(key));
                }
            }
            return null;
        }
        String prompt = definition.path(PROMPT).asText(TextGeneration.DEFAULT_PROMPT);
        if (!TextGeneration.hasText(prompt)) {
            refuse(
                    FailureCode.BAD_TASK,
                    file,
                    "prompt is '%s', expected one with {text} in it".formatted(prompt));
        }
        JsonNode chat = definition.path(CHAT);
        if (!chat.isMissingNode() && !chat.isBoolean()) {
            refuse(
                    FailureCode.BAD_TASK,
                    file,
                    "chat is %s, expected true or false".formatted(chat));
        }
        String system = definition.path(SYSTEM).asText("");
        if (!system.isEmpty() && !chat.asBoolean(false)) {
            refuse(
                    FailureCode.BAD_TASK,
                    file,
                    "system is given, but no chat: expected it with chat: true only");
        }
        return new TextGeneration(
                prompt,
                number(
                        definition,
                        MAX_NEW_TOKENS,
                        file,
                        TextGeneration.DEFAULT_MAX_NEW_TOKENS,
                        1,
                        TextGeneration.MOST_NEW_TOKENS),
                chat.asBoolean(false),
                system);
    }

    private List<String> labels(JsonNode definition, Path file, TaskKind kind) {
        List<String> labels = new ArrayList<>();
        definition.path("labels").forEach(label -> labels.add(label.asText()));
        boolean none = labels.isEmpty() && kind == TaskKind.GENERATION;
        if (!none && (labels.size() < 2 || new HashSet<>(labels).size() < labels.size())) {
            refuse(
                    FailureCode.BAD_TASK,
                    file,
                    "labels are %s, expected two or more, all different".formatted(labels));
        }
        return labels;
    }

    private int number(
            JsonNode definition, String key, Path file, int unsaid, int least, int most) {
        JsonNode given = definition.path(key);
        if (given.isMissingNode()) {
            return unsaid;
        }
        if (!given.isInt() || given.asInt() < least || given.asInt() > most) {
            refuse(
                    FailureCode.BAD_TASK,
                    file,
                    "%s is %s, expected %d to %d".formatted(key, given, least, most));
        }
        return given.asInt();
    }

    private static Map<Split, Path> dataFiles(Path meta) {
        Map<Split, Path> files = new EnumMap<>(Split.class);
        Map<Split, String> names =
                Map.of(
                        Split.TRAIN, "train.jsonl",
                        Split.VALIDATION, "val.jsonl",
                        Split.TEST, "test.jsonl");
        names.forEach((split, name) -> {
            Path file = meta.resolveSibling(name);
            if (Files.isRegularFile(file)) {
                files.put(split, file);
            }
        });
        return files;
    }

    private Map<Split, Path> namedFiles(JsonNode definition, Path yaml) {
        Set<String> unknown = new TreeSet<>();
        definition.fieldNames().forEachRemaining(unknown::add);
        unknown.removeAll(KEYS);
        Map<Split, Path> files = new EnumMap<>(Split.class);
        for (Split split : Split.values()) {
            unknown.remove(split.key());
            JsonNode name = definition.path(split.key());
            if (!name.isMissingNode()) {
                Path file = yaml.resolveSibling(name.asText());
                files.put(split, file);
                if (!Files.isRegularFile(file)) {
                    refuse(
                            split == Split.CALIBRATION
                                    ? FailureCode.CALIBRATION_UNREADABLE
                                    : FailureCode.BAD_TASK,
                            yaml,
                            "%s is '%s', but there is no such file beside this one"
                                    .formatted(split.key(), name.asText()));
                }
            }
        }
        if (!unknown.isEmpty()) {
            refuse(FailureCode.BAD_TASK, yaml, "unknown keys %s: misspelt?".formatted(unknown));
        }
        return files;
    }

    private void refuse(FailureCode code, Path where, String sentence) {
        faults.add(new Fault(code, where.toString(), sentence));
    }

    private void refuseIfFaulty() {
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
    }
}
