package dev.tributary.merging;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Understands the parameters of a recipe as mergekit does: what they are called, which belong to a
/// model and which to the merge, and what holds when one is left out.
final class RecipeParameters {
    private static final double MERGEKIT_LAMBDA = 1.0;
    private static final double MERGEKIT_DENSITY = 1.0;

    /// Where a fault of the recipe is reported.
    @FunctionalInterface
    interface FaultSink {
        void add(FailureCode code, String place, String sentence);
    }

    private final RecipeMethod method;
    private final JsonNode overall;
    private final FaultSink faults;
    private final Consumer<String> notes;

    RecipeParameters(
            RecipeMethod method, JsonNode overall, FaultSink faults, Consumer<String> notes) {
        this.method = method;
        this.overall = overall;
        this.faults = faults;
        this.notes = notes;
        if (!overall.isMissingNode() && !overall.isObject()) {
            fault("parameters", "is no mapping");
        }
        for (Map.Entry<String, JsonNode> entry : overall.properties()) {
            String name = entry.getKey();
            if (!method.overall().contains(name) && !method.perModel().contains(name)) {
                unknown("parameters." + name);
            }
        }
    }

    /// The method with its parameters; null when they are wrong, which is then reported.
    @Nullable MergeMethod method() {
        return switch (method) {
            case LINEAR -> new MergeMethod.WeightAveraging(flag("normalize", true));
            case TASK_ARITHMETIC -> {
                withoutEffect();
                yield new MergeMethod.TaskArithmetic(lambda(), flag("normalize", false));
            }
            case TIES -> {
                withoutEffect();
                yield new MergeMethod.Ties(
                        MERGEKIT_DENSITY, lambda(), TrimScope.PER_TENSOR, flag("normalize", true));
            }
            case DIVMERGE -> divMerge();
        };
    }

    /// One member; what is wrong with its parameters is reported and replaced by a value that lets
    /// reading go on.
    Recipe.RecipeMember member(
            String place, String name, Path directory, JsonNode parameters, @Nullable Path task) {
        if (!parameters.isMissingNode() && !parameters.isObject()) {
            fault(place + ".parameters", "is no mapping");
        }
        for (Map.Entry<String, JsonNode> entry : parameters.properties()) {
            if (!method.perModel().contains(entry.getKey())) {
                unknown(place + ".parameters." + entry.getKey());
            }
        }
        boolean weighted = method.perModel().contains("weight");
        double weight = weighted ? weight(place, parameters) : 1.0;
        Double density = method == RecipeMethod.TIES ? density(place, parameters) : null;
        return new Recipe.RecipeMember(name, directory, weight, density, task);
    }

    private double weight(String place, JsonNode parameters) {
        Bound bound = Bound.anyNumber("weight");
        Double own = number(place + ".parameters.weight", parameters.path("weight"), bound);
        Double shared = number("parameters.weight", overall.path("weight"), bound);
        if (!parameters.has("weight") && !overall.has("weight")) {
            fault(place + ".parameters.weight", "is missing, expected a number");
        }
        return own != null ? own : shared != null ? shared : 1.0;
    }

    private double density(String place, JsonNode parameters) {
        Bound bound = MergeMethod.Ties.DENSITY;
        Double own = number(place + ".parameters.density", parameters.path("density"), bound);
        Double shared = number("parameters.density", overall.path("density"), bound);
        return own != null ? own : shared != null ? shared : MERGEKIT_DENSITY;
    }

    private double lambda() {
        Double lambda =
                number("parameters.lambda", overall.path("lambda"), Bound.anyNumber("lambda"));
        return lambda != null ? lambda : MERGEKIT_LAMBDA;
    }

    /// `int8_mask` chooses the type mergekit keeps a mask in, and `rescale: false` is the default.
    private void withoutEffect() {
        if (overall.has("int8_mask")) {
            flag("int8_mask", false);
            notes.accept(
                    "int8_mask chooses how mergekit stores a mask; no mask is stored here and no"
                            + " value depends on it");
        }
        if (flag("rescale", false)) {
            fault("parameters.rescale", "true is not supported, expected false");
        }
    }

    private @Nullable MergeMethod divMerge() {
        Map<String, String> options = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : overall.properties()) {
            if (method.overall().contains(entry.getKey())) {
                if (entry.getValue().isValueNode()) {
                    options.put(entry.getKey(), entry.getValue().asText());
                } else {
                    fault("parameters." + entry.getKey(), onlyScalars());
                }
            }
        }
        try {
            return MergeMethod.of("divmerge", options);
        } catch (RefusedException e) {
            for (Fault fault : e.faults()) {
                faults.add(
                        fault.code(),
                        "parameters." + fault.where().replaceFirst("^divmerge\\.", ""),
                        fault.sentence());
            }
            return null;
        }
    }

    private boolean flag(String name, boolean defaultValue) {
        JsonNode node = overall.path(name);
        if (node.isMissingNode() || node.isBoolean()) {
            return node.asBoolean(defaultValue);
        }
        fault(
                "parameters." + name,
                node.isContainerNode()
                        ? onlyScalars()
                        : "was '%s', expected true or false".formatted(node.asText()));
        return defaultValue;
    }

    private @Nullable Double number(String place, JsonNode node, Bound bound) {
        if (node.isMissingNode()) {
            return null;
        }
        if (node.isNumber() && bound.allows(node.doubleValue())) {
            return node.doubleValue();
        }
        fault(
                place,
                node.isContainerNode()
                        ? onlyScalars()
                        : "was '%s', expected %s".formatted(node.asText(), bound.expected()));
        return null;
    }

    private static String onlyScalars() {
        return "is a list or a filter, which is not supported: expected one value for all tensors";
    }

    private void unknown(String place) {
        TreeSet<String> known = new TreeSet<>(method.perModel());
        if (place.startsWith("parameters.")) {
            known.addAll(method.overall());
        }
        fault(
                place,
                known.isEmpty()
                        ? "is not supported: a model takes no parameters in %s"
                                .formatted(method.id())
                        : "is not supported by %s, expected one of %s"
                                .formatted(method.id(), String.join(", ", known)));
    }

    private void fault(String place, String sentence) {
        faults.add(FailureCode.BAD_OPTION, place, sentence);
    }
}
