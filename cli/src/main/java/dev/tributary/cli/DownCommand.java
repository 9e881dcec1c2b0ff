package dev.tributary.cli;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Stops the local stack of a data folder.
@Command(
        name = "down",
        mixinStandardHelpOptions = true,
        description = "Stops the local stack of a data folder; the data stay.",
        footerHeading = "%nExamples:%n",
        footer = "  tributary down")
final class DownCommand implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = ".tributary",
            description = "Data folder of the stack (default: ${DEFAULT-VALUE}).")
    Path data = Path.of(".tributary");

    @Override
    public Integer call() throws InterruptedException, ExecutionException {
        Optional<ProcessHandle> process =
                Connection.of(data).flatMap(stack -> ProcessHandle.of(stack.pid()));
        if (process.isEmpty()) {
            System.out.println("[%s] no stack runs on this data folder".formatted(data));
            return 0;
        }
        process.get().destroy();
        try {
            process.get().onExit().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (TimeoutException _) {
            System.err.println(
                    "[%s] process %d has not stopped within %d s: its logs are in %s"
                            .formatted(
                                    data,
                                    process.get().pid(),
                                    PATIENCE.toSeconds(),
                                    data.resolve("logs")));
            return 1;
        }
        System.out.println("[%s] stopped".formatted(data));
        return 0;
    }
}
