package dev.tributary.cli.demo;

import dev.tributary.cli.Terminal;
import dev.tributary.cli.demo.DemoSettings.ExpertRecipe;
import dev.tributary.models.Example;
import dev.tributary.models.FineTuned;
import dev.tributary.models.FineTuner;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Makes the demo's base and experts, or finds them in the data folder.
final class Experts {
    private final Path folder;
    private final Terminal terminal;

    Experts(Path folder, Terminal terminal) {
        this.folder = folder;
        this.terminal = terminal;
    }

    /// The base every expert starts from.
    Path base() {
        return new BaseModel(folder).directory();
    }

    /// An expert for this task, fine-tuned now or found from an earlier run.
    Path expert(ExpertRecipe recipe, TaskDefinition task) {
        return made(recipe, task, task.name());
    }

    /// A damaging checkpoint for the task: the same recipe on data whose labels are all wrong, each
    /// the next label of the task's list.
    Path damaged(ExpertRecipe recipe, TaskDefinition task) {
        Map<Split, Path> files = new EnumMap<>(task.files());
        files.put(Split.TRAIN, mislabelled(task, Split.TRAIN));
        files.put(Split.VALIDATION, mislabelled(task, Split.VALIDATION));
        TaskDefinition mislabelled =
                new TaskDefinition(
                        task.name(),
                        task.kind(),
                        task.metric(),
                        task.labels(),
                        task.maxTokens(),
                        task.generation(),
                        files);
        return made(recipe, mislabelled, task.name() + "-mislabelled");
    }

    private Path made(ExpertRecipe recipe, TaskDefinition task, String name) {
        String identity = Digest.ofText(recipe.tuning().toString() + task.maxTokens()).shortHex();
        Path expert = folder.resolve("%s-%s".formatted(name, identity));
        if (Files.isDirectory(expert)) {
            terminal.line("  expert %s is there from an earlier run".formatted(name));
            return expert;
        }
        String label = "fine-tuning " + name;
        FineTuned tuned =
                new FineTuner(
                                recipe.tuning(),
                                at ->
                                        terminal.progress(
                                                label,
                                                String.format(
                                                        Locale.ROOT,
                                                        "epoch %d, loss %.3f",
                                                        at.epoch(),
                                                        at.loss()),
                                                at.step(),
                                                at.steps()))
                        .run(base(), task, expert);
        terminal.forget(label);
        terminal.line(
                String.format(
                        Locale.ROOT,
                        "  expert %s: validation %s %.3f after %s",
                        name,
                        task.metric().id(),
                        tuned.validation(),
                        Terminal.duration(tuned.elapsed())));
        return tuned.checkpoint();
    }

    private Path mislabelled(TaskDefinition task, Split split) {
        List<String> lines = new ArrayList<>();
        var json = new com.fasterxml.jackson.databind.ObjectMapper();
        for (Example example : task.examples(split)) {
            int right = task.labels().indexOf(example.label());
            var line = json.createObjectNode();
            line.put("text", example.text());
            if (example.textPair() != null) {
                line.put("text_pair", example.textPair());
            }
            line.put("label", task.labels().get((right + 1) % task.labels().size()));
            lines.add(line.toString());
        }
        Path file =
                folder.resolve(
                        "%s-mislabelled-%s.jsonl"
                                .formatted(task.name(), split.name().toLowerCase(Locale.ROOT)));
        try {
            Files.createDirectories(folder);
            Files.write(file, lines);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
        return file;
    }
}
