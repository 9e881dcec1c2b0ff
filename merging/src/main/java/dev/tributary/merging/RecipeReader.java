package dev.tributary.merging;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.tributary.merging.method.BaseRole;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.merging.method.MethodEntry;
import dev.tributary.merging.method.OptionReader;
import dev.tributary.merging.method.Passthrough;
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
import java.util.TreeMap;
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
                    "slices",
                    "parameters",
                    "dtype",
                    "out_dtype",
                    "tokenizer",
                    "tokenizer_source",
                    "tasks",
                    "tune",
                    "include",
                    "exclude");
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
        MethodEntry<?> kind = MethodCatalogue.inRecipes(methodName).orElse(null);
        if (kind == null) {
            fault(
                    FailureCode.UNKNOWN_METHOD,
                    "merge_method",
                    "'%s' is not supported, expected one of %s"
                            .formatted(methodName, String.join(", ", MethodCatalogue.recipeIds())));
        }
        Path base = paths.find("base_model", root.path("base_model"), this::fault);
        boolean sliced = root.has("slices");
        RecipeModels models =
                sliced
                        ? RecipeModels.ofSlices(root.path("slices"), paths, this::fault)
                        : new RecipeModels(root.path("models"), paths, this::fault);
        if (sliced && root.has("models")) {
            fault("models", "stands beside slices, expected one of the two");
        }
        Dtype dtype = outputDtype();
        VocabularyChoice vocabulary =
                new RecipeTokenizer(root, paths, models, this::fault).choice(base);
        if (kind == null) {
            throw new RefusedException(faults.stream().distinct().toList());
        }
        boolean baseNamed = !root.path("base_model").isMissingNode();
        RecipeParameters parameters =
                new RecipeParameters(
                        kind, root.path("parameters"), baseNamed, this::fault, notes::add);
        Map<String, String> given = selection();
        RecipeSlices slices = new RecipeSlices(root.path("slices"), paths, models, this::fault);
        boolean stacks = kind.options().contains(Passthrough.SLICES);
        if (sliced && stacks) {
            given.put(Passthrough.SLICES.name(), slices.stack());
        } else if (sliced) {
            slices.refuseUnlessWhole();
        }
        MergeMethod method = parameters.method(given);
        BaseRole role = role(kind, method);
        List<Recipe.RecipeMember> members = new ArrayList<>();
        ScaleGrid tune =
                RecipeTuning.read(root.path("tune"), kind, root.path("parameters"), this::fault);
        boolean tunes = root.has("tune") && kind.scale().isPresent();
        boolean learns = method == null ? root.has("tasks") : method.needs().runsModels();
        Map<Path, Path> tasks = models.tasks(tunes || learns, root.path("tasks"), base);
        for (RecipeModels.Listed model : models.models()) {
            boolean isBase = base != null && base.equals(model.directory());
            if (isBase && subtracts(role)) {
                baseAmongModels(model);
            } else {
                members.add(
                        new Recipe.RecipeMember(
                                models.name(model),
                                model.directory(),
                                sliced && stacks
                                        ? new TreeMap<>()
                                        : parameters.ofModel(
                                                model.place(), model.parameters(), isBase),
                                tasks.get(model.directory())));
            }
        }
        base = baseOrTemplate(kind, role, base, members, sliced && stacks);
        if (members.isEmpty()) {
            fault("models", "names no model to merge, expected at least one besides the base");
        }
        if (!faults.isEmpty() || method == null || base == null) {
            throw new RefusedException(faults.stream().distinct().toList());
        }
        return new Recipe(method, base, members, dtype, tune, vocabulary, notes);
    }

    private void baseAmongModels(RecipeModels.Listed model) {
        if (!model.parameters().isMissingNode() && !model.parameters().isEmpty()) {
            notes.add(
                    "%s is the base: its task vector is zero, so its parameters change nothing"
                            .formatted(model.place()));
        }
    }

    /// What the base is: within a trust region, task vectors are differences from it whatever the
    /// method.
    private static BaseRole role(MethodEntry<?> kind, @Nullable MergeMethod method) {
        return method != null && method.trustRegion().leavesOut()
                ? BaseRole.SUBTRACTED
                : kind.base();
    }

    /// Whether task vectors are taken, so that the base among the models changes nothing.
    private static boolean subtracts(BaseRole role) {
        return role == BaseRole.SUBTRACTED || role == BaseRole.OPTIONAL;
    }

    private Map<String, String> selection() {
        Map<String, String> selection = new TreeMap<>();
        for (String key : List.of(OptionReader.INCLUDE, OptionReader.EXCLUDE)) {
            JsonNode globs = root.path(key);
            if (globs.isTextual()) {
                selection.put(key, globs.textValue());
            } else if (globs.isArray()) {
                List<String> all = new ArrayList<>();
                globs.forEach(glob -> all.add(glob.asText()));
                selection.put(key, String.join(",", all));
            } else if (!globs.isMissingNode()) {
                fault(key, "is no list, expected tensor names in which * stands for anything");
            }
        }
        return selection;
    }

    /// @param stacks whether layers are stacked, on those of the first model
    private @Nullable Path baseOrTemplate(
            MethodEntry<?> kind,
            BaseRole role,
            @Nullable Path base,
            List<Recipe.RecipeMember> members,
            boolean stacks) {
        if (role == BaseRole.SUBTRACTED || role == BaseRole.ENDPOINT) {
            if (root.path("base_model").isMissingNode()) {
                fault("base_model", "is missing, expected the model the others were tuned from");
            } else if (role == BaseRole.ENDPOINT) {
                endpoints(kind, base, members);
            }
            return base;
        }
        Path first = members.isEmpty() ? null : members.getFirst().directory();
        if (base == null) {
            return first;
        }
        if (stacks) {
            if (!base.equals(first)) {
                fault(
                        "base_model",
                        "is not the first slice's model, from which a stack has its configuration and"
                                + " tokenizer: expected that one, or no base_model");
            }
            return first;
        }
        if (role == BaseRole.TEMPLATE
                && members.stream().noneMatch(member -> base.equals(member.directory()))) {
            fault(
                    "base_model",
                    "is not among the models: %s takes the models listed, so list the base or leave"
                                    .formatted(kind.recipeId())
                            + " base_model out");
        }
        return base;
    }

    /// mergekit interpolates between base_model and one other model.
    private void endpoints(
            MethodEntry<?> kind, @Nullable Path base, List<Recipe.RecipeMember> members) {
        boolean listed = members.stream().anyMatch(member -> member.directory().equals(base));
        if (base != null && (!listed || members.size() != 2)) {
            fault(
                    "models",
                    "are %d%s, but %s lies between base_model and one other model: list those two"
                            .formatted(
                                    members.size(),
                                    listed ? "" : " without base_model",
                                    kind.recipeId()));
        }
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

    private Optional<String> text(String place, JsonNode node) {
        if (node.isTextual()) {
            return Optional.of(node.textValue());
        }
        fault(place, "is missing or no text");
        return Optional.empty();
    }

    /// Reports every key of a mapping that is none of these.
    static void unknownKeys(String prefix, JsonNode node, Set<String> known, FaultSink faults) {
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
