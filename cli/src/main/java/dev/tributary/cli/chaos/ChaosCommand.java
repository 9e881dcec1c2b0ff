package dev.tributary.cli.chaos;

import dev.tributary.cli.Terminal;
import dev.tributary.cli.chaos.mutant.Mutant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/// Harms a local Tributary on purpose.
@Command(
        name = "chaos",
        mixinStandardHelpOptions = true,
        description = {
            "Kills, stalls and fails workers and the broker while checkpoints are published, and checks that nothing"
                    + " is lost, doubled, torn, stale or out of order.",
            "Everything is real but the models, which are toys that merge in milliseconds. Exit code"
                    + " 1 when anything is found."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary chaos",
            "  tributary chaos --kills 1000 --seed 7 --summary target/chaos.json",
            "  tributary chaos --every-point",
            "  tributary chaos --mutants --summary target/mutants.json"
        })
public final class ChaosCommand implements Callable<Integer> {
    @Option(
            names = "--kills",
            paramLabel = "N",
            defaultValue = "50",
            description =
                    "How many processes to kill (default: ${DEFAULT-VALUE}); stalls, broker restarts and"
                            + " faults at named points come on top. Ten kills take about a minute"
                            + " on two cores.")
    int kills = 50;

    @Option(
            names = "--every-point",
            description =
                    "Instead of kills at random: let a worker end, stall, fail and find the disk full at"
                            + " every named point, once each, with one worker of each kind.")
    boolean everyPoint;

    @Option(
            names = "--mutants",
            description =
                    "Instead: put known bugs into the workers, one after the other, and see that each is"
                            + " found. About half a minute a bug.")
    boolean mutants;

    @Option(
            names = "--mutant",
            paramLabel = "NAME",
            description =
                    "With --mutants: this bug alone; may be given again. ${COMPLETION-CANDIDATES}")
    List<Mutant> chosen = new ArrayList<>();

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "Seed of what is sent and what is harmed (default: ${DEFAULT-VALUE}). Processes run"
                            + " as they like: the same seed is not the same history.")
    long seed = 1;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = ".tributary/chaos",
            description =
                    "Where everything is kept, logs included (default: ${DEFAULT-VALUE}); a campaign"
                            + " makes a folder of its own in it.")
    Path data = Path.of(".tributary/chaos");

    @Option(
            names = "--summary",
            paramLabel = "FILE",
            description = "Write counts and findings as JSON to this file.")
    @Nullable Path summary;

    @Option(
            names = "--merge-workers",
            paramLabel = "N",
            defaultValue = "3",
            description = "How many merge-workers to run (default: ${DEFAULT-VALUE}).")
    int mergeWorkers = 3;

    @Option(
            names = "--eval-workers",
            paramLabel = "N",
            defaultValue = "1",
            description = "How many eval-workers to run (default: ${DEFAULT-VALUE}).")
    int evalWorkers = 1;

    @Option(
            names = "--pools",
            paramLabel = "N",
            defaultValue = "6",
            description = "How many pools get checkpoints (default: ${DEFAULT-VALUE}).")
    int pools = 6;

    @Spec @Nullable CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        requireAtLeast("--kills", kills, 0);
        requireAtLeast("--merge-workers", mergeWorkers, 1);
        requireAtLeast("--eval-workers", evalWorkers, 1);
        requireAtLeast("--pools", pools, 1);
        Terminal terminal = Terminal.standard();
        Path folder = folder();
        if (mutants || !chosen.isEmpty()) {
            terminal.line("known bugs in the workers, seed %d, data in %s".formatted(seed, folder));
            return new MutantTrials(seed, folder, terminal).run(chosen, summary) ? 0 : 1;
        }
        terminal.line(
                "%s, seed %d, data in %s"
                        .formatted(
                                everyPoint
                                        ? "every fault at every named point"
                                        : "a campaign of %d kills".formatted(kills),
                                seed,
                                folder));
        ChaosSummary outcome =
                new Campaign(
                                new Campaign.Settings(
                                        kills,
                                        everyPoint,
                                        null,
                                        seed,
                                        folder,
                                        everyPoint ? 1 : mergeWorkers,
                                        everyPoint ? 1 : evalWorkers,
                                        pools),
                                terminal)
                        .run();
        outcome.print(terminal);
        if (summary != null) {
            outcome.write(summary);
        }
        return outcome.sound() ? 0 : 1;
    }

    private void requireAtLeast(String option, int value, int least) {
        if (value < least) {
            throw new ParameterException(
                    java.util.Objects.requireNonNull(spec).commandLine(),
                    "[%s] is %d, expected %d or more".formatted(option, value, least));
        }
    }

    /// The first free number in the data folder.
    private Path folder() throws IOException {
        Path all = Files.createDirectories(data.toAbsolutePath().normalize());
        long next;
        try (Stream<Path> before = Files.list(all)) {
            next =
                    before.filter(entry -> entry.getFileName().toString().startsWith("campaign-"))
                                    .count()
                            + 1;
        }
        while (Files.exists(all.resolve("campaign-" + next))) {
            next++;
        }
        return Files.createDirectory(all.resolve("campaign-" + next));
    }
}
