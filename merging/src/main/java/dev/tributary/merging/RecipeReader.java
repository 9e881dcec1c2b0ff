package dev.tributary.merging;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Reads a recipe and lists everything in it that is wrong or not supported; nothing is left out
/// silently.
final class RecipeReader {
    private static final YAMLMapper YAML =
            YAMLMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();
    private static final Set<String> TOP_LEVEL =
            Set.of(
                    "merge_method",
                    "base_model",
                    "models",
                    "parameters",
                    "dtype",
                    "out_dtype",
                    "tokenizer_source",
                    "tasks");
    private static final Map<String, Dtype> DTYPES =
            Map.of("float32", Dtype.F32, "float16", Dtype.F16, "bfloat16", Dtype.BF16);
    private static final Pattern HUB_ID = Pattern.compile("[\\w.-]+/[\\w.-]+(@[\\w./-]+)?");

    private final Path folder;
    private final String file;
    private final JsonNode root;
    private final List<Fault> faults = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    private RecipeReader(Path file, JsonNode root) {
        this.folder = Optional.ofNullable(file.toAbsolutePath().getParent()).orElse(file);
        this.file = Optional.ofNullable(file.getFileName()).orElse(file).toString();
        this.root = root;
    }

    static Recipe read(Path file) {
        JsonNode root;
        try {
            root = YAML.readTree(Files.readString(file));
        } catch (IOException e) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_OPTION,
                            file.toString(),
                            "is no readable YAML: " + firstLine(e)),
                    e);
        }
        if (!(root instanceof ObjectNode)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_OPTION,
                            file.toString(),
                            "holds no mapping, expected merge_method, models and so on"));
        }
        return new RecipeReader(file, root).recipe();
    }

    private Recipe recipe() {
        unknownKeys("", root, TOP_LEVEL);
        String methodName = text("merge_method", root.path("merge_method")).orElse("");
        RecipeMethod kind = RecipeMethod.named(methodName).orElse(null);
        if (kind == null) {
            fault(
                    FailureCode.UNKNOWN_METHOD,
                    "merge_method",
                    "'%s' is not supported, expected one of %s"
                            .formatted(methodName, String.join(", ", RecipeMethod.names())));
        }
        Path base = folderOf("base_model", root.path("base_model"));
        List<ListedModel> models = models();
        Dtype dtype = outputDtype();
        tokenizerSource();
        if (kind == null) {
            throw new RefusedException(faults.stream().distinct().toList());
        }
        RecipeParameters parameters =
                new RecipeParameters(kind, root.path("parameters"), this::fault, notes::add);
        MergeMethod method = parameters.method();
        List<Recipe.RecipeMember> members = new ArrayList<>();
        Map<Path, Path> tasks = tasks(kind, models);
        for (ListedModel model : models) {
            boolean isBase = base != null && base.equals(model.directory());
            if (isBase && kind.subtractsBase()) {
                baseAmongModels(model);
            } else {
                members.add(
                        parameters.member(
                                model.place(),
                                name(model, models),
                                model.directory(),
                                model.parameters(),
                                tasks.get(model.directory())));
            }
        }
        base = baseOrTemplate(kind, base, members);
        if (members.isEmpty()) {
            fault("models", "names no model to merge, expected at least one besides the base");
        }
        if (!faults.isEmpty() || method == null || base == null) {
            throw new RefusedException(faults.stream().distinct().toList());
        }
        return new Recipe(method, base, members, dtype, notes);
    }

    /// One entry of `models:`, before its parameters are understood.
    private record ListedModel(String place, String written, Path directory, JsonNode parameters) {}

    private List<ListedModel> models() {
        JsonNode listed = root.path("models");
        List<ListedModel> models = new ArrayList<>();
        if (!listed.isArray()) {
            fault("models", "is missing or no list, expected a list of '- model: <folder>'");
            return models;
        }
        for (int i = 0; i < listed.size(); i++) {
            String place = "models[%d]".formatted(i);
            JsonNode entry = listed.get(i);
            if (!entry.isObject()) {
                fault(place, "is no mapping, expected 'model: <folder>'");
                continue;
            }
            unknownKeys(place + ".", entry, Set.of("model", "parameters"));
            String written = entry.path("model").asText("");
            Path directory = folderOf(place + ".model", entry.path("model"));
            if (entry.path("model").isMissingNode()) {
                fault(place, "has no 'model', expected the folder of a checkpoint");
            }
            if (directory != null) {
                for (ListedModel other : models) {
                    if (other.directory().equals(directory)) {
                        fault(place, "'%s' is listed twice".formatted(written));
                    }
                }
                models.add(new ListedModel(place, written, directory, entry.path("parameters")));
            }
        }
        return models;
    }

    private void baseAmongModels(ListedModel model) {
        if (!model.parameters().isMissingNode() && !model.parameters().isEmpty()) {
            notes.add(
                    "%s is the base: its task vector is zero, so its parameters change nothing"
                            .formatted(model.place()));
        }
    }

    private @Nullable Path baseOrTemplate(
            RecipeMethod kind, @Nullable Path base, List<Recipe.RecipeMember> members) {
        if (kind.subtractsBase()) {
            if (root.path("base_model").isMissingNode()) {
                fault("base_model", "is missing, expected the model the others were tuned from");
            }
            return base;
        }
        if (base == null) {
            return members.isEmpty() ? null : members.getFirst().directory();
        }
        if (members.stream().noneMatch(member -> base.equals(member.directory()))) {
            fault(
                    "base_model",
                    "is not among the models: linear averages the models listed, so list the base"
                            + " with a weight or leave base_model out");
        }
        return base;
    }

    private Map<Path, Path> tasks(RecipeMethod kind, List<ListedModel> models) {
        JsonNode tasks = root.path("tasks");
        Map<Path, Path> definitions = new java.util.HashMap<>();
        if (kind != RecipeMethod.DIVMERGE) {
            if (!tasks.isMissingNode()) {
                fault("tasks", "belongs to merge_method divmerge only: remove it");
            }
            return definitions;
        }
        if (!tasks.isObject()) {
            fault("tasks", "is missing, expected '<model as listed>: <task definition>' a line");
            return definitions;
        }
        for (Map.Entry<String, JsonNode> entry : tasks.properties()) {
            Optional<ListedModel> model =
                    models.stream().filter(m -> m.written().equals(entry.getKey())).findFirst();
            Path definition = folder.resolve(entry.getValue().asText("")).normalize();
            String place = "tasks." + entry.getKey();
            if (model.isEmpty()) {
                fault(place, "names no entry of 'models', expected one as it is written there");
            } else if (!entry.getValue().isTextual() || !Files.exists(definition)) {
                fault(
                        FailureCode.UNKNOWN_TASK,
                        place,
                        "'%s' does not exist, expected a task definition: a YAML file or its folder"
                                .formatted(entry.getValue().asText("")));
            } else {
                definitions.put(model.get().directory(), definition);
            }
        }
        Path base = folderOf("", root.path("base_model"), false);
        for (ListedModel model : models) {
            if (!definitions.containsKey(model.directory())
                    && !model.directory().equals(base)
                    && !tasks.has(model.written())) {
                fault("tasks", "has no line for '%s'".formatted(model.written()));
            }
        }
        return definitions;
    }

    private @Nullable Dtype outputDtype() {
        Dtype dtype = dtype("dtype");
        Dtype outDtype = dtype("out_dtype");
        if (dtype != null && dtype != Dtype.F32) {
            notes.add(
                    "dtype says how the result is stored; sums are taken in float32 all the same");
        }
        return outDtype != null ? outDtype : dtype;
    }

    private @Nullable Dtype dtype(String key) {
        JsonNode node = root.path(key);
        if (node.isMissingNode() || node.isNull()) {
            return null;
        }
        Dtype dtype = DTYPES.get(node.asText(""));
        if (dtype == null) {
            fault(
                    key,
                    "'%s' is not supported, expected one of %s"
                            .formatted(
                                    node.asText(""), String.join(", ", sorted(DTYPES.keySet()))));
        }
        return dtype;
    }

    private void tokenizerSource() {
        JsonNode node = root.path("tokenizer_source");
        if (!node.isMissingNode() && !"base".equals(node.asText(""))) {
            fault(
                    "tokenizer_source",
                    "'%s' is not supported, expected base: vocabularies are never mixed"
                            .formatted(node.asText("")));
        }
    }

    private @Nullable Path folderOf(String place, JsonNode node) {
        return folderOf(place, node, true);
    }

    private @Nullable Path folderOf(String place, JsonNode node, boolean report) {
        if (node.isMissingNode() || node.isNull()) {
            return null;
        }
        String written = node.asText("");
        Path directory = folder.resolve(written).normalize();
        if (node.isTextual() && !written.isBlank() && Files.isDirectory(directory)) {
            return directory;
        }
        if (report) {
            fault(FailureCode.ARTIFACT_MISSING, place, missing(node, written));
        }
        return null;
    }

    private static String missing(JsonNode node, String written) {
        if (!node.isTextual() || written.isBlank()) {
            return "is no path, expected the folder of a checkpoint";
        }
        if (written.contains("+")) {
            return "'%s' is no folder: adapters are not read here, merge the adapter into its model"
                            .formatted(written)
                    + " first";
        }
        if (HUB_ID.matcher(written).matches() && !written.startsWith(".")) {
            return "'%s' is no folder beside the recipe: models are not fetched from a hub,"
                            .formatted(written)
                    + " download it and name its folder";
        }
        return "'%s' is no folder, expected that of a checkpoint, relative to the recipe"
                .formatted(written);
    }

    private static String name(ListedModel model, List<ListedModel> models) {
        String last = lastPart(model.directory());
        long same = models.stream().filter(m -> lastPart(m.directory()).equals(last)).count();
        return folderName(same == 1 ? last : model.written());
    }

    /// What a folder of the result can be called.
    private static String folderName(String name) {
        return name.replaceAll("[^A-Za-z0-9._-]+", "-").replaceFirst("^[^A-Za-z0-9]+", "");
    }

    private static String lastPart(Path directory) {
        return Optional.ofNullable(directory.getFileName()).orElse(directory).toString();
    }

    private Optional<String> text(String place, JsonNode node) {
        if (node.isTextual()) {
            return Optional.of(node.textValue());
        }
        fault(place, "is missing or no text");
        return Optional.empty();
    }

    private void unknownKeys(String prefix, JsonNode node, Set<String> known) {
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!known.contains(entry.getKey())) {
                fault(
                        prefix + entry.getKey(),
                        "is not supported, expected one of %s"
                                .formatted(String.join(", ", sorted(known))));
            }
        }
    }

    private static Set<String> sorted(Set<String> names) {
        return new TreeSet<>(names);
    }

    private void fault(String place, String sentence) {
        fault(FailureCode.BAD_OPTION, place, sentence);
    }

    private void fault(FailureCode code, String place, String sentence) {
        faults.add(new Fault(code, file + " " + place, sentence));
    }

    private static String firstLine(Exception e) {
        String message = Optional.ofNullable(e.getMessage()).orElse(e.toString());
        return message.lines().findFirst().orElse(message);
    }
}
