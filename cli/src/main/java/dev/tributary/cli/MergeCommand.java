package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.MergeResult;
import dev.tributary.merging.PoolMerger;
import dev.tributary.merging.Recipe;
import dev.tributary.merging.ScaleChoice;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Merges checkpoints as a recipe says, without Kafka.
@Command(
        name = "merge",
        mixinStandardHelpOptions = true,
        description = {
            "Merges checkpoints as a recipe says: mergekit's YAML, with methods of our own"
                    + " (docs/merge-methods.md).",
            "Nothing is visible at the output before it is complete."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary merge recipe.yaml --out merged",
            "  tributary merge recipe.yaml --out merged -o json"
        })
final class MergeCommand implements Callable<Integer> {
    @Mixin OutputOption output = new OutputOption();

    @Parameters(paramLabel = "RECIPE", description = "mergekit's YAML, or our own.")
    @Nullable Path recipe;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Directory to write; it must not exist.")
    @Nullable Path out;

    @Option(
            names = "--cache",
            paramLabel = "DIR",
            defaultValue = ".tributary/cache/teachers",
            description =
                    "Where divmerge keeps the experts' outputs by content (default:"
                            + " ${DEFAULT-VALUE}).")
    Path cache = Path.of(".tributary/cache/teachers");

    @Override
    public Integer call() throws IOException {
        Path target = Objects.requireNonNull(out).toAbsolutePath().normalize();
        if (Files.exists(target)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_OPTION,
                            "--out " + out,
                            "exists already, expected a new directory: choose another name or remove it"));
        }
        Recipe read = Recipe.read(Objects.requireNonNull(recipe));
        Files.createDirectories(Objects.requireNonNull(target.getParent()));
        Path partial = target.resolveSibling(target.getFileName() + ".partial");
        FileTrees.delete(partial);
        Files.createDirectory(partial);
        try {
            MergeResult result =
                    PoolMerger.merge(read, cache, partial, new WaitOptions().progress());
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            print(read, result, target);
        } finally {
            FileTrees.delete(partial);
        }
        return 0;
    }

    /// Every value with its score, the chosen one last.
    static String scores(ScaleChoice tuning) {
        String option = tuning.grid().option().name();
        return tuning.candidates().stream()
                        .map(c -> String.format(Locale.ROOT, "%s %.4f", c.value(), c.score()))
                        .collect(
                                Collectors.joining(
                                        ", ",
                                        "%s by %s score: "
                                                .formatted(option, tuning.grid().score().id()),
                                        ""))
                + "; chosen %s".formatted(tuning.chosen().value());
    }

    private void print(Recipe read, MergeResult result, Path target) {
        double seconds = result.took().toMillis() / 1000.0;
        ScaleChoice tuning = result.tuning();
        if (output.json()) {
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            json.put("out", target.toString());
            json.put("method", read.method().id());
            json.put("seconds", seconds);
            if (tuning != null) {
                ObjectNode tuned = json.putObject("tuned");
                tuned.put(tuning.grid().option().name(), tuning.chosen().value());
                tuned.put("score", tuning.chosen().score());
            }
            System.out.println(OutputOption.pretty(json));
            return;
        }
        read.notes().forEach(note -> System.out.println("note: " + note));
        if (tuning != null) {
            System.out.println(scores(tuning));
        }
        System.out.println(
                "%s of %d models in %s, written to %s"
                        .formatted(
                                read.method().id(),
                                read.members().size(),
                                Terminal.duration(result.took()),
                                target));
    }
}
