package dev.tributary.merging.method;

import java.util.List;
import java.util.Optional;

/// All methods there are.
public final class MethodCatalogue {
    private static final List<MethodEntry<?>> ENTRIES =
            List.of(
                    WeightAveraging.ENTRY,
                    TaskArithmetic.ENTRY,
                    Ties.ENTRY,
                    Dare.LINEAR,
                    Dare.TIES,
                    Della.TIES,
                    Della.LINEAR,
                    Breadcrumbs.LINEAR,
                    Breadcrumbs.TIES,
                    Sce.ENTRY,
                    Slerp.ENTRY,
                    NuSlerp.ENTRY,
                    MultiSlerp.ENTRY,
                    Karcher.ENTRY,
                    ModelStock.ENTRY,
                    TsvM.ENTRY,
                    IsoC.ENTRY,
                    IsoCts.ENTRY,
                    Wudi.ENTRY,
                    Opcm.ENTRY,
                    Passthrough.ENTRY,
                    Fisher.ENTRY,
                    RegMean.ENTRY,
                    Lot.ENTRY,
                    Cat.ENTRY,
                    Tatr.ENTRY,
                    AdaMerging.ENTRY,
                    DivMerge.ENTRY);

    private MethodCatalogue() {}

    /// Every method's entry, in the order of the documentation.
    public static List<MethodEntry<?>> entries() {
        return ENTRIES;
    }

    /// The methods' names.
    public static List<String> ids() {
        return ENTRIES.stream().<String>map(MethodEntry::id).toList();
    }

    /// The method with this name in options.
    public static Optional<MethodEntry<?>> find(String id) {
        return ENTRIES.stream().filter(entry -> entry.id().equals(id)).findFirst();
    }

    /// The method with this name in recipes, mergekit's where it has one.
    public static Optional<MethodEntry<?>> inRecipes(String id) {
        return ENTRIES.stream().filter(entry -> entry.recipeId().equals(id)).findFirst();
    }

    /// The methods' names in recipes.
    public static List<String> recipeIds() {
        return ENTRIES.stream().<String>map(MethodEntry::recipeId).toList();
    }
}
