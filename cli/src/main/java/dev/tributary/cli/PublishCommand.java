package dev.tributary.cli;

import dev.tributary.events.PoolUpdated;
import dev.tributary.models.TaskDefinition;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Publishes a fine-tuned checkpoint to a pool.
@Command(
        name = "publish",
        mixinStandardHelpOptions = true,
        description = "Copies a fine-tuned checkpoint into the store and publishes it to a pool.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary publish experts/sentiment --pool my-pool --task examples/tasks/sentiment_uci",
            "  tributary publish experts/spam --pool my-pool --task spam/task.yaml --wait"
        })
final class PublishCommand implements Callable<Integer> {
    @Mixin StackOptions stack = new StackOptions();
    @Mixin WaitOptions waiting = new WaitOptions();
    @Mixin OutputOption output = new OutputOption();

    @Parameters(paramLabel = "DIR", description = "Hugging Face directory of the checkpoint.")
    @Nullable Path checkpoint;

    @Option(names = "--pool", required = true, paramLabel = "NAME", description = "The pool.")
    String pool = "";

    @Option(
            names = "--task",
            required = true,
            paramLabel = "FILE",
            description = "Task file (YAML) or task folder; its name is the expert's task.")
    @Nullable Path task;

    @Option(
            names = "--calibration-items",
            paramLabel = "N",
            defaultValue = "200",
            description =
                    "Unlabelled inputs to calibrate with, drawn from the training split when the task"
                            + " names no calibration file (default: ${DEFAULT-VALUE}).")
    int calibrationItems = 200;

    @Option(
            names = "--base-digest",
            paramLabel = "DIGEST",
            description =
                    "Digest of the base this checkpoint was fine-tuned from (default: the pool's"
                            + " base).")
    @Nullable String baseDigest;

    @Override
    public Integer call() {
        Connection connection = stack.connection();
        TaskDefinition definition = TaskDefinition.read(java.util.Objects.requireNonNull(task));
        try (EventLog log = EventLog.open(connection);
                Publications publications = new Publications(connection)) {
            String base = baseDigest == null ? baseOf(log, pool) : baseDigest;
            var artifact =
                    publications.importCheckpoint(
                            java.util.Objects.requireNonNull(checkpoint), waiting.progress());
            var taskArtifact = publications.importTask(definition, calibrationItems);
            log.startFollowing(Outcome.TOPICS, false);
            Published published =
                    publications.publishCheckpoint(
                            pool, definition.name(), artifact, base, taskArtifact);
            if (output.json()) {
                System.out.println(
                        "{\"eventId\":\"%s\",\"checkpoint\":\"%s\",\"digest\":\"%s\"}"
                                .formatted(
                                        published.eventId(),
                                        artifact.uri(),
                                        artifact.digest().value()));
            } else {
                System.out.println(
                        "published task %s as %s, event %s"
                                .formatted(
                                        definition.name(),
                                        artifact.digest().value(),
                                        published.eventId()));
            }
            return waiting.await(log, connection, pool, published);
        }
    }

    static String baseOf(EventLog log, String pool) {
        String base = null;
        for (var record : log.read(List.of(Topic.POOL_STATES), pool::equals)) {
            if (record.value() instanceof PoolUpdated updated && updated.getConfigured() != null) {
                base = updated.getConfigured().getBase().getDigest();
            }
        }
        if (base == null) {
            throw new RefusedException(
                    List.of(
                            new Fault(
                                    FailureCode.UNKNOWN_POOL,
                                    pool,
                                    "no pool of this name is configured: `tributary pool create %s --base DIR` makes one"
                                            .formatted(pool))));
        }
        return base;
    }
}
