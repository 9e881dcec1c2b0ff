package dev.tributary.merging;

import dev.tributary.merging.method.Workers;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Turns a recipe into a request.
final class RecipeRequest {
    private RecipeRequest() {}

    static MergeRequest of(Recipe recipe, Path cacheFolder, Path targetFolder) {
        List<Path> folders = new ArrayList<>();
        folders.add(recipe.base());
        recipe.members().forEach(member -> folders.add(member.directory()));
        try (Workers workers = Workers.create()) {
            return of(
                    recipe,
                    workers.map(folders.size(), i -> Digest.ofDirectory(folders.get(i))),
                    cacheFolder,
                    targetFolder);
        }
    }

    /// A request that can be planned but not carried out: its folders are told apart by their
    /// place, which costs no reading.
    static MergeRequest unidentified(Recipe recipe) {
        return unidentified(recipe, recipe.base(), recipe.base());
    }

    /// A request whose folders will be known when they have been merged.
    static MergeRequest unidentified(Recipe recipe, Path cacheFolder, Path targetFolder) {
        List<Digest> places = new ArrayList<>();
        places.add(Digest.ofText(recipe.base().toString()));
        recipe.members().forEach(m -> places.add(Digest.ofText(m.directory().toString())));
        return of(recipe, places, cacheFolder, targetFolder);
    }

    /// @param digests of the base, then of the members
    private static MergeRequest of(
            Recipe recipe, List<Digest> digests, Path cacheFolder, Path targetFolder) {
        List<MergeRequest.RequestedMember> members = new ArrayList<>();
        for (int m = 0; m < recipe.members().size(); m++) {
            Recipe.RecipeMember member = recipe.members().get(m);
            members.add(
                    new MergeRequest.RequestedMember(
                            taskOf(member),
                            member.directory(),
                            digests.get(m + 1),
                            member.task(),
                            member.settings()));
        }
        return new MergeRequest(
                recipe.base(),
                digests.getFirst(),
                members,
                recipe.method(),
                null,
                recipe.outputDtype(),
                recipe.tune(),
                recipe.vocabulary(),
                provenance(recipe),
                cacheFolder,
                targetFolder);
    }

    private static Provenance provenance(Recipe recipe) {
        String names =
                recipe.members().stream()
                        .map(Recipe.RecipeMember::name)
                        .sorted()
                        .collect(Collectors.joining(", "));
        TreeMap<String, String> experts = new TreeMap<>();
        recipe.members().forEach(m -> experts.put(taskOf(m), name(m.directory())));
        return Provenance.ofRecipe("Merge of " + names, name(recipe.base()), experts);
    }

    /// A member is known by its task's own name, as it is in a pool; by its folder's where the
    /// recipe names no task. A definition that cannot be read is reported when it is used.
    private static String taskOf(Recipe.RecipeMember member) {
        Path definition = member.task();
        if (definition == null) {
            return member.name();
        }
        try {
            return TaskDefinition.read(definition).name();
        } catch (RefusedException _) {
            return member.name();
        }
    }

    /// Folders are known by their last part: the rest is where somebody keeps them.
    private static String name(Path folder) {
        return Optional.ofNullable(folder.getFileName()).orElse(folder).toString();
    }
}
