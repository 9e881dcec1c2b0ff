package dev.tributary.cli;

import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.DeadLetterSettled;
import dev.tributary.events.EvaluationRequested;
import dev.tributary.events.ExpertRetired;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.RegressionAlert;
import dev.tributary.events.TaskEvaluated;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Follows the events of pools, one line each.
@Command(
        name = "watch",
        mixinStandardHelpOptions = true,
        description = "Follows events as they happen, one line each, until Ctrl-C.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  tributary watch",
            "  tributary watch my-pool --from-start -o json",
            "  tributary watch --from-start --once"
        })
final class WatchCommand implements Callable<Integer> {
    static final List<Topic> FOLLOWED =
            List.of(
                    Topic.POOL_EVENTS,
                    Topic.GENERATIONS,
                    Topic.TASK_EVALUATIONS,
                    Topic.EVALUATIONS,
                    Topic.PROMOTIONS,
                    Topic.ALERTS,
                    Topic.DEAD_LETTERS,
                    Topic.SETTLEMENTS);

    @Mixin StackOptions stack = new StackOptions();
    @Mixin OutputOption output = new OutputOption();

    @Parameters(arity = "0..1", paramLabel = "POOL", description = "Only this pool.")
    @Nullable String pool;

    @Option(names = "--from-start", description = "Begin with the oldest event that is kept.")
    boolean fromStart;

    @Option(names = "--once", description = "Stop when everything there is now has been printed.")
    boolean once;

    @Override
    public Integer call() {
        try (EventLog log = EventLog.open(stack.connection())) {
            if (once) {
                log.read(FOLLOWED, _ -> true).stream()
                        .sorted((a, b) -> Long.compare(a.timestamp(), b.timestamp()))
                        .forEach(this::print);
                return 0;
            }
            log.startFollowing(FOLLOWED, fromStart);
            while (!Thread.currentThread().isInterrupted()) {
                log.poll(Duration.ofMillis(500)).forEach(this::print);
            }
        }
        return 0;
    }

    private void print(ConsumerRecord<String, SpecificRecord> record) {
        if (pool != null && !pool.equals(record.key())) {
            return;
        }
        if (output.json()) {
            var json = EventJson.of(record.value());
            json.put("event", record.value().getSchema().getName());
            json.put("topic", record.topic());
            json.put("partition", record.partition());
            json.put("offset", record.offset());
            System.out.println(json);
        } else {
            System.out.println("%-20s %s".formatted(record.key(), sentence(record.value())));
        }
        System.out.flush();
    }

    /// One line on what an event says.
    static String sentence(SpecificRecord event) {
        return switch (event) {
            case PoolConfigured it ->
                    "pool configured: %s %s".formatted(it.getMethod(), it.getOptions());
            case CheckpointPublished it ->
                    "checkpoint published: task %s, %s"
                            .formatted(it.getTask(), shortened(it.getCheckpoint().getDigest()));
            case ExpertRetired it ->
                    it.getCheckpointDigest() == null
                            ? "expert retired: task %s".formatted(it.getTask())
                            : "checkpoint withdrawn: task %s, %s"
                                    .formatted(it.getTask(), shortened(it.getCheckpointDigest()));
            case GenerationMerged it ->
                    String.format(
                            Locale.ROOT,
                            "generation %d merged, members %d, by %s in %.1f s%s",
                            it.getNumber(),
                            it.getMembers().size(),
                            it.getMethod(),
                            it.getSeconds(),
                            it.getReusedArtifact() ? " (artifact re-used)" : "");
            case GenerationFailed it ->
                    "generation failed: %s %s".formatted(it.getCode(), it.getSentences());
            case EvaluationRequested it ->
                    "evaluation wanted: generation %d, task %s"
                            .formatted(it.getNumber(), it.getTask());
            case TaskEvaluated it ->
                    String.format(
                            Locale.ROOT,
                            "task evaluated: generation %d, %s %s %.4f (expert %.4f)",
                            it.getNumber(),
                            it.getTask(),
                            it.getMetric(),
                            it.getScore(),
                            it.getExpertScore());
            case GenerationEvaluated it ->
                    "generation %d %s: %s"
                            .formatted(it.getNumber(), it.getVerdict(), it.getSentence());
            case GenerationPromoted it ->
                    "generation %d promoted (%s)".formatted(it.getNumber(), it.getReason());
            case RegressionAlert it -> "alert %s: %s".formatted(it.getState(), it.getSentence());
            case DeadLetterSettled it ->
                    "dead letter %s: %s-%d-%d%s"
                            .formatted(
                                    it.getSettlement().name().toLowerCase(Locale.ROOT),
                                    it.getQueue(),
                                    it.getPartition(),
                                    it.getOffset(),
                                    it.getReason() == null ? "" : ", " + it.getReason());
            case DeadLetter it -> "dead letter %s: %s".formatted(it.getCode(), it.getSentences());
            default -> event.getSchema().getName();
        };
    }

    static String shortened(String digest) {
        return digest.length() > 19 ? digest.substring(0, 19) : digest;
    }
}
