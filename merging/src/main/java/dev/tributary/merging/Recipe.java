package dev.tributary.merging;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Setting;
import dev.tributary.tensors.Dtype;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// One merge as a file describes it: the method, the models that go in with their weights, and how
/// the result is stored.
///
/// The file is mergekit's YAML, with mergekit's meaning of every key; the methods mergekit lacks
/// have the same form, with `tasks:` where they learn from data, and `tune:` chooses a scale.
///
/// @param base the base model's folder; for `linear` without one, the first model's
/// @param members the models whose weights go in, in the file's order
/// @param outputDtype how the merged tensors are stored; null for the base's own type
/// @param tune values of the method's scale, of which the best on validation examples is taken;
///   null to merge by the method as it is
/// @param vocabulary which tokens the result has; null where the file does not say, and all models
///   must have the same
/// @param notes what a reader should know about keys that change nothing here
public record Recipe(
        MergeMethod method,
        Path base,
        List<RecipeMember> members,
        @Nullable Dtype outputDtype,
        @Nullable ScaleGrid tune,
        @Nullable VocabularyChoice vocabulary,
        List<String> notes) {

    public Recipe {
        members = List.copyOf(members);
        notes = List.copyOf(notes);
    }

    /// One model of a recipe.
    ///
    /// @param name the last part of its path, or the whole path where two would be the same
    /// @param settings parameters stated for this model alone, such as its weight, by name
    /// @param task the folder or file of its task definition; null for methods that need no data
    public record RecipeMember(
            String name,
            Path directory,
            SortedMap<String, Setting> settings,
            @Nullable Path task) {}

    /// Reads a recipe; its paths are relative to the folder it lies in.
    ///
    /// @throws dev.tributary.tensors.RefusedException with everything that is wrong or not
    ///   supported, at once
    public static Recipe read(Path file) {
        return RecipeReader.read(file);
    }
}
