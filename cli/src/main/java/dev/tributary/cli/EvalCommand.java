package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.models.Scorer;
import dev.tributary.models.Scores;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Scores a checkpoint on a task.
@Command(
        name = "eval",
        mixinStandardHelpOptions = true,
        description = {
            "Scores a checkpoint on a task.",
            "Of a merged directory with several tasks, the view of the task with the same name is taken."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary eval --checkpoint experts/sentiment --task examples/tasks/sentiment_uci",
            "  tributary eval --checkpoint merged --task examples/tasks/spam_mail --split test -o json"
        })
final class EvalCommand implements Callable<Integer> {
    @Mixin OutputOption output = new OutputOption();

    @Option(
            names = "--checkpoint",
            required = true,
            paramLabel = "DIR",
            description = "Hugging Face directory, or a merged directory with task views.")
    @Nullable Path checkpoint;

    @Option(
            names = "--task",
            required = true,
            paramLabel = "FILE",
            description = "Task file (YAML) or task folder.")
    @Nullable Path task;

    @Option(
            names = "--split",
            defaultValue = "validation",
            description = "train, validation or test (default: ${DEFAULT-VALUE}).")
    Split split = Split.VALIDATION;

    @Override
    public Integer call() {
        TaskDefinition definition = TaskDefinition.read(Objects.requireNonNull(task));
        Path directory = view(Objects.requireNonNull(checkpoint), definition.name());
        long started = System.nanoTime();
        Scores scores;
        try (Checkpoint opened = Checkpoint.open(directory)) {
            scores = Scorer.score(opened, definition, split);
        }
        double seconds = (System.nanoTime() - started) / 1e9;
        if (output.json()) {
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            json.put("checkpoint", directory.toString());
            json.put("task", definition.name());
            json.put("split", split.name().toLowerCase(Locale.ROOT));
            json.put("metric", scores.metric().id());
            json.put("score", scores.value());
            json.put("items", scores.items());
            json.put("seconds", seconds);
            System.out.println(OutputOption.pretty(json));
        } else {
            System.out.println(
                    String.format(
                            Locale.ROOT,
                            "%s %s %.4f on %d %s items in %.1f s",
                            definition.name(),
                            scores.metric().id(),
                            scores.value(),
                            scores.items(),
                            split.name().toLowerCase(Locale.ROOT),
                            seconds));
        }
        return 0;
    }

    private static Path view(Path directory, String task) {
        Path view = directory.resolve("tasks").resolve(task);
        return Files.isDirectory(view) ? view : directory;
    }
}
