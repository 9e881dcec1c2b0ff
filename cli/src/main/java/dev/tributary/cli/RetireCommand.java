package dev.tributary.cli;

import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Takes an expert, or one checkpoint of it, out of a pool.
@Command(
        name = "retire",
        mixinStandardHelpOptions = true,
        description = {
            "Takes an expert out of a pool.",
            "With --checkpoint only that checkpoint is withdrawn: the task's previous one returns."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary retire --pool my-pool --task sentiment_uci",
            "  tributary retire --pool my-pool --task sentiment_uci --checkpoint sha256:… --reason \"bad labels\""
        })
final class RetireCommand implements Callable<Integer> {
    @Mixin StackOptions stack = new StackOptions();
    @Mixin WaitOptions waiting = new WaitOptions();

    @Option(names = "--pool", required = true, paramLabel = "NAME", description = "The pool.")
    String pool = "";

    @Option(names = "--task", required = true, paramLabel = "NAME", description = "The task.")
    String task = "";

    @Option(
            names = "--checkpoint",
            paramLabel = "DIGEST",
            description = "Withdraw only the checkpoint with this digest.")
    @Nullable String checkpoint;

    @Option(names = "--reason", paramLabel = "TEXT", description = "Why; kept in the event.")
    @Nullable String reason;

    @Override
    public Integer call() {
        Connection connection = stack.connection();
        try (EventLog log = EventLog.open(connection);
                Publications publications = new Publications(connection)) {
            PublishCommand.baseOf(log, pool);
            log.startFollowing(Outcome.TOPICS, false);
            Published published = publications.retire(pool, task, checkpoint, reason);
            System.out.println(
                    "%s task %s, event %s"
                            .formatted(
                                    checkpoint == null ? "retired" : "withdrew a checkpoint of",
                                    task,
                                    published.eventId()));
            return waiting.await(log, connection, pool, published);
        }
    }
}
