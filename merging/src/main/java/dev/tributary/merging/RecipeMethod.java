package dev.tributary.merging;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// The values of a recipe's `merge_method`, with the parameters each one takes: mergekit's three
/// and our own.
enum RecipeMethod {
    LINEAR("linear"),
    TASK_ARITHMETIC("task_arithmetic"),
    TIES("ties"),
    DIVMERGE("divmerge");

    private final String id;

    RecipeMethod(String id) {
        this.id = id;
    }

    String id() {
        return id;
    }

    /// Parameters a model may have; given for the whole recipe, they hold for every model that does
    /// not say otherwise.
    Set<String> perModel() {
        return switch (this) {
            case LINEAR, TASK_ARITHMETIC -> Set.of("weight");
            case TIES -> Set.of("weight", "density");
            case DIVMERGE -> Set.of();
        };
    }

    /// Parameters of the merge as a whole.
    Set<String> overall() {
        return switch (this) {
            case LINEAR -> Set.of("normalize");
            case TASK_ARITHMETIC, TIES -> Set.of("lambda", "normalize", "int8_mask", "rescale");
            case DIVMERGE -> MergeMethod.DivMerge.defaults().options().keySet();
        };
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
