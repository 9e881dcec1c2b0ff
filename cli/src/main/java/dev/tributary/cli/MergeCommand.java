package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.merging.MergeResult;
import dev.tributary.merging.PoolMerger;
import dev.tributary.merging.Recipe;
import dev.tributary.merging.ScaleChoice;
import dev.tributary.tensors.Progress;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalLong;
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
            "Nothing is visible at the output before it is complete; what an interrupted run leaves"
                    + " beside it is removed by the next, which starts anew."
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
    public Integer call() {
        Recipe read = Recipe.read(Objects.requireNonNull(recipe));
        Terminal terminal = Terminal.beside();
        merge(read, terminal, new MergeProgress(terminal, System::nanoTime));
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

    /// Merges into the output directory, which is then complete or not there.
    void merge(Recipe read, Terminal terminal, Progress progress) {
        Path target = Objects.requireNonNull(out);
        try (OutputFolder folder = OutputFolder.begin(target, "--out " + out)) {
            if (folder.tidied()) {
                terminal.line(
                        "an earlier run to %s was interrupted: what it left was removed, starting anew"
                                .formatted(target));
            }
            MergeResult result = PoolMerger.merge(read, cache, folder.directory(), progress);
            folder.finish();
            print(read, result, target.toAbsolutePath().normalize());
        }
    }

    private void print(Recipe read, MergeResult result, Path target) {
        double seconds = result.took().toMillis() / 1000.0;
        ScaleChoice tuning = result.tuning();
        long bytes = result.bytesRead() + result.bytesWritten();
        OptionalLong peak = PeakMemory.bytes();
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
            json.put("bytesRead", result.bytesRead());
            json.put("bytesWritten", result.bytesWritten());
            json.put("bytesPerSecond", Math.round(bytes / Math.max(seconds, 1e-3)));
            peak.ifPresent(most -> json.put("peakResidentBytes", most));
            System.out.println(OutputOption.pretty(json));
            return;
        }
        read.notes().forEach(note -> System.out.println("note: " + note));
        if (tuning != null) {
            System.out.println(scores(tuning));
        }
        System.out.println(
                "%s of %d models in %s: read %s, wrote %s, %s/s%s; written to %s"
                        .formatted(
                                read.method().id(),
                                read.members().size(),
                                Terminal.duration(result.took()),
                                PlanCommand.bytes(result.bytesRead()),
                                PlanCommand.bytes(result.bytesWritten()),
                                PlanCommand.bytes(Math.round(bytes / Math.max(seconds, 1e-3))),
                                peak.isPresent()
                                        ? ", peak memory %s with mapped files"
                                                .formatted(PlanCommand.bytes(peak.getAsLong()))
                                        : "",
                                target));
    }
}
