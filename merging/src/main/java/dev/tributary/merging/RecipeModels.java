package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.FailureCode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads the models a recipe lists and the tasks it gives them.
final class RecipeModels {
    private final RecipePaths paths;
    private final FaultSink faults;
    private final List<Listed> models = new ArrayList<>();

    /// One entry of `models:`, before its parameters are understood.
    ///
    /// @param place where it stands in the file
    /// @param written the model as the file names it
    record Listed(String place, String written, Path directory, JsonNode parameters) {}

    RecipeModels(JsonNode listed, RecipePaths paths, FaultSink faults) {
        this.paths = paths;
        this.faults = faults;
        if (!listed.isArray()) {
            fault("models", "is missing or no list, expected a list of '- model: <folder>'");
            return;
        }
        for (int i = 0; i < listed.size(); i++) {
            add("models[%d]".formatted(i), listed.get(i));
        }
    }

    /// Reads the models of a recipe that lists slices; each counts once.
    static RecipeModels ofSlices(JsonNode slices, RecipePaths paths, FaultSink faults) {
        RecipeModels models = new RecipeModels(paths, faults);
        if (!slices.isArray() || slices.isEmpty()) {
            models.fault("slices", "is no list, expected a list of '- sources: [...]'");
        }
        for (int s = 0; s < slices.size(); s++) {
            JsonNode sources = slices.path(s).path("sources");
            String place = "slices[%d]".formatted(s);
            RecipeReader.unknownKeys(place + ".", slices.path(s), Set.of("sources"), faults);
            if (!sources.isArray() || sources.isEmpty()) {
                models.fault(place, "has no 'sources', expected a list of '- model: <folder>'");
                continue;
            }
            Set<Path> inSlice = new HashSet<>();
            for (int i = 0; i < sources.size(); i++) {
                models.source("%s.sources[%d]".formatted(place, i), sources.path(i), inSlice);
            }
        }
        return models;
    }

    /// @param inSlice the models of the same slice so far
    private void source(String place, JsonNode entry, Set<Path> inSlice) {
        RecipeReader.unknownKeys(
                place + ".", entry, Set.of("model", "layer_range", "parameters"), faults);
        JsonNode range = entry.path("layer_range");
        if (range.size() != 2 || !range.path(0).isInt() || !range.path(1).isInt()) {
            fault(
                    place + ".layer_range",
                    "is missing or no pair, expected the first layer and the one after the last");
        }
        String written = entry.path("model").asText("");
        Path directory = paths.find(place + ".model", entry.path("model"), faults);
        if (directory == null) {
            if (entry.path("model").isMissingNode()) {
                fault(place, "has no 'model', expected the folder of a checkpoint");
            }
            return;
        }
        if (!inSlice.add(directory)) {
            fault(place, "'%s' is listed twice".formatted(written));
        }
        if (models.stream().noneMatch(other -> other.directory().equals(directory))) {
            models.add(new Listed(place, written, directory, entry.path("parameters")));
        }
    }

    private RecipeModels(RecipePaths paths, FaultSink faults) {
        this.paths = paths;
        this.faults = faults;
    }

    /// The name of the model in a folder.
    Optional<String> nameOf(Path directory) {
        return models.stream()
                .filter(model -> model.directory().equals(directory))
                .map(this::name)
                .findFirst();
    }

    List<Listed> models() {
        return models;
    }

    /// A model's name: the last part of its path, or all of it where that would not tell two apart.
    String name(Listed model) {
        String last = RecipePaths.lastPart(model.directory());
        long same =
                models.stream()
                        .filter(m -> RecipePaths.lastPart(m.directory()).equals(last))
                        .count();
        return RecipePaths.folderName(same == 1 ? last : model.written());
    }

    private void add(String place, JsonNode entry) {
        if (!entry.isObject()) {
            fault(place, "is no mapping, expected 'model: <folder>'");
            return;
        }
        RecipeReader.unknownKeys(place + ".", entry, Set.of("model", "parameters"), faults);
        if (entry.path("model").isMissingNode()) {
            fault(place, "has no 'model', expected the folder of a checkpoint");
        }
        String written = entry.path("model").asText("");
        Path directory = paths.find(place + ".model", entry.path("model"), faults);
        if (directory == null) {
            return;
        }
        if (models.stream().anyMatch(other -> other.directory().equals(directory))) {
            fault(place, "'%s' is listed twice".formatted(written));
        }
        models.add(new Listed(place, written, directory, entry.path("parameters")));
    }

    /// The task definitions by model folder, one for every model but the base.
    ///
    /// @param needed whether the method or the choice of its scale needs any
    Map<Path, Path> tasks(boolean needed, JsonNode tasks, @Nullable Path base) {
        if (!needed) {
            if (!tasks.isMissingNode()) {
                fault("tasks", "belongs to methods that learn from data, and to tune: remove it");
            }
            return Map.of();
        }
        if (!tasks.isObject()) {
            fault("tasks", "is missing, expected '<model as listed>: <task definition>' a line");
            return Map.of();
        }
        Map<Path, Path> definitions = new HashMap<>();
        for (Map.Entry<String, JsonNode> entry : tasks.properties()) {
            task(entry.getKey(), entry.getValue(), definitions);
        }
        for (Listed model : models) {
            if (!tasks.has(model.written()) && !model.directory().equals(base)) {
                fault("tasks", "has no line for '%s'".formatted(model.written()));
            }
        }
        return definitions;
    }

    private void task(String written, JsonNode value, Map<Path, Path> definitions) {
        Optional<Listed> model =
                models.stream().filter(m -> m.written().equals(written)).findFirst();
        Optional<Path> definition = paths.resolve(value.asText("")).filter(Files::exists);
        String place = "tasks." + written;
        if (model.isEmpty()) {
            fault(place, "names no entry of 'models', expected one as it is written there");
        } else if (!value.isTextual() || definition.isEmpty()) {
            faults.add(
                    FailureCode.UNKNOWN_TASK,
                    place,
                    "'%s' does not exist, expected a task definition: a YAML file or its folder"
                            .formatted(value.asText("")));
        } else {
            definitions.put(model.get().directory(), definition.get());
        }
    }

    private void fault(String place, String sentence) {
        faults.add(FailureCode.BAD_OPTION, place, sentence);
    }
}
