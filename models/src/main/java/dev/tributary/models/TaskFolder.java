package dev.tributary.models;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/// A staged task: what the workers need of a task, in one folder with fixed names.
final class TaskFolder {
    static final String CALIBRATION = "calibration.jsonl";
    static final String VALIDATION = "validation.jsonl";
    private static final String DRAW = "train.jsonl";

    private static final YAMLMapper MAPPER =
            new YAMLMapper(
                    YAMLMapper.builder()
                            .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
                            .build()
                            .getFactory());

    private TaskFolder() {}

    static Map<Split, Path> files(Path folder) {
        return Map.of(
                Split.CALIBRATION, folder.resolve(CALIBRATION),
                Split.VALIDATION, folder.resolve(VALIDATION));
    }

    /// Writes the task with so many of its training examples and no others, drawn by a seed.
    static void writeDraw(TaskDefinition task, Path folder, int items, long seed) {
        List<Example> drawn = new ArrayList<>(task.examples(Split.TRAIN));
        Collections.shuffle(drawn, new Random(seed));
        ObjectNode definition = definition(task);
        definition.put(Split.TRAIN.key(), DRAW);
        write(definition, folder);
        task.exampleFile(folder.resolve(DRAW))
                .write(drawn.subList(0, Math.min(items, drawn.size())));
    }

    static void write(TaskDefinition task, Path folder, int calibrationItems) {
        List<Example> calibration = task.calibration(calibrationItems);
        List<Example> validation = task.examples(Split.VALIDATION);
        if (calibration.isEmpty()) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.CALIBRATION_EMPTY,
                            "task %s".formatted(task.name()),
                            "%d calibration inputs asked for, expected 1 or more"
                                    .formatted(calibrationItems)));
        }
        ObjectNode definition = definition(task);
        definition.put(Split.CALIBRATION.key(), CALIBRATION);
        definition.put(Split.VALIDATION.key(), VALIDATION);
        write(definition, folder);
        task.exampleFile(folder.resolve(CALIBRATION)).write(calibration);
        task.exampleFile(folder.resolve(VALIDATION)).write(validation);
    }

    private static ObjectNode definition(TaskDefinition task) {
        ObjectNode definition = MAPPER.createObjectNode();
        definition.put("name", task.name());
        definition.put("kind", task.kind().id());
        definition.put("metric", task.metric().id());
        if (!task.labels().isEmpty()) {
            task.labels().forEach(definition.putArray("labels")::add);
        }
        definition.put("max_tokens", task.maxTokens());
        TextGeneration generation = task.generation();
        if (generation != null) {
            definition.put("prompt", generation.prompt());
            definition.put("max_new_tokens", generation.maxNewTokens());
            if (generation.chat()) {
                definition.put("chat", true);
                definition.put("system", generation.system());
            }
        }
        return definition;
    }

    private static void write(ObjectNode definition, Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(TaskFile.YAML), MAPPER.writeValueAsString(definition));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write %s".formatted(folder), e);
        }
    }
}
