package dev.tributary.cli;

import dev.tributary.merging.Member;
import dev.tributary.merging.MergePlan;
import dev.tributary.merging.MergePlanner;
import dev.tributary.merging.Recipe;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A recipe with its checkpoints open, ready to be planned.
final class OpenedRecipe implements AutoCloseable {
    private static final int CALIBRATION_ITEMS = 200;

    private final Recipe recipe;
    private final List<Checkpoint> opened = new ArrayList<>();
    private final List<Member> members = new ArrayList<>();
    private @Nullable Path scratch;

    private OpenedRecipe(Recipe recipe) {
        this.recipe = recipe;
    }

    /// Opens every checkpoint of a recipe.
    ///
    /// @throws dev.tributary.tensors.RefusedException with the faults of all of them
    static OpenedRecipe open(Path file) {
        OpenedRecipe result = new OpenedRecipe(Recipe.read(file));
        List<Fault> faults = new ArrayList<>();
        result.attempt(faults, () -> result.opened.add(Checkpoint.open(result.recipe.base())));
        for (Recipe.RecipeMember member : result.recipe.members()) {
            result.attempt(faults, () -> result.add(member));
        }
        if (!faults.isEmpty()) {
            result.close();
            throw new RefusedException(faults);
        }
        return result;
    }

    Recipe recipe() {
        return recipe;
    }

    MergePlan plan() {
        return MergePlanner.plan(opened.getFirst(), members, recipe.method());
    }

    @Override
    public void close() {
        opened.forEach(Checkpoint::close);
        if (scratch != null) {
            FileTrees.delete(scratch);
        }
    }

    private Path scratch() {
        if (scratch == null) {
            try {
                scratch = Files.createTempDirectory("tributary-calibration");
            } catch (IOException e) {
                throw new UncheckedIOException("cannot create a temporary folder", e);
            }
        }
        return scratch;
    }

    private void add(Recipe.RecipeMember member) {
        Checkpoint expert = Checkpoint.open(member.directory());
        opened.add(expert);
        String task = member.name();
        @Nullable CalibrationSet calibration = null;
        if (member.task() != null) {
            TaskDefinition definition = TaskDefinition.read(member.task());
            task = definition.name();
            Path staged = scratch().resolve(task);
            definition.stage(staged, CALIBRATION_ITEMS);
            calibration = CalibrationSet.read(staged);
        }
        members.add(
                new Member(
                        task,
                        expert,
                        Digest.ofDirectory(member.directory()),
                        calibration,
                        member.weight(),
                        member.density()));
    }

    private void attempt(List<Fault> faults, Runnable step) {
        try {
            step.run();
        } catch (RefusedException refused) {
            faults.addAll(refused.faults());
        }
    }
}
