package dev.tributary.merging;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The values of a recipe's `merge_method`, with the parameters each one takes: mergekit's three
/// and our own.
enum RecipeMethod {
    LINEAR("linear", Set.of("weight"), Set.of("normalize")),
    TASK_ARITHMETIC(
            "task_arithmetic",
            Set.of("weight"),
            Set.of("lambda", "normalize", "int8_mask", "rescale")),
    TIES(
            "ties",
            Set.of("weight", "density"),
            Set.of("lambda", "normalize", "int8_mask", "rescale")),
    DIVMERGE("divmerge", Set.of(), MergeMethod.DivMerge.defaults().options().keySet());

    private final String id;
    private final Set<String> perModel;
    private final Set<String> overall;

    RecipeMethod(String id, Set<String> perModel, Set<String> overall) {
        this.id = id;
        this.perModel = perModel;
        this.overall = overall;
    }

    String id() {
        return id;
    }

    /// Parameters a model may have; given for the whole recipe, they hold for every model that
    /// does not say otherwise.
    Set<String> perModel() {
        return perModel;
    }

    /// Parameters of the merge as a whole.
    Set<String> overall() {
        return overall;
    }

    /// Whether the method works on differences from the base.
    boolean subtractsBase() {
        return this != LINEAR;
    }

    static Optional<RecipeMethod> named(String id) {
        return Arrays.stream(values()).filter(method -> method.id.equals(id)).findFirst();
    }

    static List<String> names() {
        return Arrays.stream(values()).map(RecipeMethod::id).toList();
    }
}
