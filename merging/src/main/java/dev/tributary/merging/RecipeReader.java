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

    private final RecipePaths paths;
    private final String file;
    private final JsonNode root;
    private final List<Fault> faults = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();

    private RecipeReader(Path file, JsonNode root) {
        this.paths = RecipePaths.beside(file);
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
        unknownKeys("", root, TOP_LEVEL, this::fault);
        String methodName = text("merge_method", root.path("merge_method")).orElse("");
        RecipeMethod kind = RecipeMethod.named(methodName).orElse(null);
        if (kind == null) {
            fault(
                    FailureCode.UNKNOWN_METHOD,
                    "merge_method",
                    "'%s' is not supported, expected one of %s"
                            .formatted(methodName, String.join(", ", RecipeMethod.names())));
        }
        Path base = paths.find("base_model", root.path("base_model"), this::fault);
        RecipeModels models = new RecipeModels(root.path("models"), paths, this::fault);
        Dtype dtype = outputDtype();
        tokenizerSource();
        if (kind == null) {
            throw new RefusedException(faults.stream().distinct().toList());
        }
        RecipeParameters parameters =
                new RecipeParameters(kind, root.path("parameters"), this::fault, notes::add);
        MergeMethod method = parameters.method();
        List<Recipe.RecipeMember> members = new ArrayList<>();
        Map<Path, Path> tasks = models.tasks(kind, root.path("tasks"), base);
        for (RecipeModels.Listed model : models.models()) {
            boolean isBase = base != null && base.equals(model.directory());
            if (isBase && kind.subtractsBase()) {
                baseAmongModels(model);
            } else {
                members.add(
                        parameters.member(
                                model.place(),
                                models.name(model),
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

    private void baseAmongModels(RecipeModels.Listed model) {
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

    private Optional<String> text(String place, JsonNode node) {
        if (node.isTextual()) {
            return Optional.of(node.textValue());
        }
        fault(place, "is missing or no text");
        return Optional.empty();
    }

    /// Reports every key of a mapping that is none of these.
    static void unknownKeys(
            String prefix, JsonNode node, Set<String> known, RecipeParameters.FaultSink faults) {
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (!known.contains(entry.getKey())) {
                faults.add(
                        FailureCode.BAD_OPTION,
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
