package dev.tributary.cli;

import dev.tributary.tensors.Progress;
import java.time.Duration;
import picocli.CommandLine.Option;

/// `--wait` on commands whose event ends in a generation or a dead letter.
final class WaitOptions {
    @Option(
            names = "--wait",
            description =
                    "Wait for what answers: a generation, a dead letter, or nothing to change.")
    boolean wait;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "1800",
            description = "How long --wait waits (default: ${DEFAULT-VALUE} s).")
    long timeoutSeconds = 1800;

    private final Terminal terminal = Terminal.beside();

    /// Stages on the terminal; what follows a stage's first comma changes while it goes on.
    Progress progress() {
        return (stage, done, total) -> {
            String[] parts = stage.split(", ", 2);
            terminal.progress(parts[0], parts.length > 1 ? parts[1] : "", done, total);
        };
    }

    /// Exit code 0 when a generation answers the event or nothing has to change, 1 for a dead
    /// letter or no answer in time.
    int await(EventLog log, Connection connection, String pool, Published published) {
        if (!wait) {
            return 0;
        }
        Outcome outcome =
                Outcome.await(log, connection, pool, published, Duration.ofSeconds(timeoutSeconds));
        System.out.println(outcome.sentence());
        return outcome.good() ? 0 : 1;
    }
}
