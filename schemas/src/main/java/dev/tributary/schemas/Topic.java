package dev.tributary.schemas;

import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.DeadLetterSettled;
import dev.tributary.events.EvaluationRequested;
import dev.tributary.events.ExpertRetired;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.GradientComputed;
import dev.tributary.events.GradientRequested;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.PoolUpdated;
import dev.tributary.events.RegressionAlert;
import dev.tributary.events.TaskEvaluated;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/// The catalogue of topics: what each carries, under which key, in how many partitions, for how
/// long. A topic with several record types has their union as its one value schema, so that the
/// order of everything that happens to a pool is the order of one partition. A topic never gains a
/// record type, because programs of the day before could not read it: a new kind of event gets a
/// topic of its own.
///
/// Dead-letter queues (`….dlq`) hold records exactly as they came and therefore have no schema.
@SuppressWarnings("ImmutableEnumChecker") // schemas and lists are built once and never changed
public enum Topic {
    /// What happens to a pool from outside: the history everything else follows from.
    POOL_EVENTS(
            "tributary.pool-events",
            Key.POOL,
            new Retention.ForEver(),
            List.of(PoolConfigured.class, CheckpointPublished.class, ExpertRetired.class)),
    /// Where each pool stands: a table that the history can rebuild.
    POOL_STATES(
            "tributary.pool-states", Key.POOL, new Retention.Newest(), List.of(PoolUpdated.class)),
    /// What merging came to.
    GENERATIONS(
            "tributary.generations",
            Key.POOL,
            new Retention.ForEver(),
            List.of(GenerationMerged.class, GenerationFailed.class)),
    /// Scores to be taken, one task of one generation a record.
    EVALUATION_REQUESTS(
            "tributary.evaluation-requests",
            Key.POOL_GENERATION_TASK,
            new Retention.Limited(Duration.ofDays(7)),
            List.of(EvaluationRequested.class)),
    /// Scores taken.
    TASK_EVALUATIONS(
            "tributary.task-evaluations",
            Key.POOL,
            new Retention.ForEver(),
            List.of(TaskEvaluated.class)),
    /// Verdicts on generations.
    EVALUATIONS(
            "tributary.evaluations",
            Key.POOL,
            new Retention.ForEver(),
            List.of(GenerationEvaluated.class)),
    /// Which generation is served.
    PROMOTIONS(
            "tributary.promotions",
            Key.POOL,
            new Retention.ForEver(),
            List.of(GenerationPromoted.class)),
    /// Regressions, firing and resolved.
    ALERTS("tributary.alerts", Key.POOL, new Retention.ForEver(), List.of(RegressionAlert.class)),
    /// What was set aside and why, in a form programs can read.
    DEAD_LETTERS(
            "tributary.dead-letters", Key.POOL, new Retention.ForEver(), List.of(DeadLetter.class)),
    /// What people have done about what was set aside.
    SETTLEMENTS(
            "tributary.settlements",
            Key.POOL,
            new Retention.ForEver(),
            List.of(DeadLetterSettled.class)),
    /// Losses and gradients a merge asks others for while it learns.
    GRADIENT_REQUESTS(
            "tributary.gradient-requests",
            Key.POOL,
            new Retention.Limited(Duration.ofHours(1)),
            List.of(GradientRequested.class)),
    /// What others have computed for it.
    GRADIENTS(
            "tributary.gradients",
            Key.POOL,
            new Retention.Limited(Duration.ofHours(1)),
            List.of(GradientComputed.class)),
    /// Pool events that were set aside, byte for byte.
    POOL_EVENTS_DLQ(
            "tributary.pool-events.dlq",
            Key.AS_IT_CAME,
            new Retention.Limited(Duration.ofDays(30)),
            List.of()),
    /// Generations that were set aside, byte for byte.
    GENERATIONS_DLQ(
            "tributary.generations.dlq",
            Key.AS_IT_CAME,
            new Retention.Limited(Duration.ofDays(30)),
            List.of()),
    /// Evaluation requests that were set aside, byte for byte.
    EVALUATION_REQUESTS_DLQ(
            "tributary.evaluation-requests.dlq",
            Key.AS_IT_CAME,
            new Retention.Limited(Duration.ofDays(30)),
            List.of()),
    /// Scores that were set aside, byte for byte.
    TASK_EVALUATIONS_DLQ(
            "tributary.task-evaluations.dlq",
            Key.AS_IT_CAME,
            new Retention.Limited(Duration.ofDays(30)),
            List.of()),
    /// Promotions that were set aside, byte for byte.
    PROMOTIONS_DLQ(
            "tributary.promotions.dlq",
            Key.AS_IT_CAME,
            new Retention.Limited(Duration.ofDays(30)),
            List.of());

    /// What the key of a record says. Keys are UTF-8 strings.
    public enum Key {
        /// The pool; everything about a pool is in one partition.
        POOL,
        /// `pool/generationId/task`, which spreads the tasks of a generation over the workers.
        POOL_GENERATION_TASK,
        /// The key the record had before it was set aside.
        AS_IT_CAME
    }

    private static final int PARTITIONS = 6;

    private final String topicName;
    private final Key key;
    private final Retention retention;
    private final List<Class<? extends SpecificRecord>> recordTypes;
    private final @Nullable TopicSchema schema;

    Topic(
            String topicName,
            Key key,
            Retention retention,
            List<Class<? extends SpecificRecord>> recordTypes) {
        this.topicName = topicName;
        this.key = key;
        this.retention = retention;
        this.recordTypes = recordTypes;
        this.schema = recordTypes.isEmpty() ? null : TopicSchema.of(recordTypes);
    }

    /// The topic with this name, if it is one of Tributary's.
    public static Optional<Topic> named(String topicName) {
        return Arrays.stream(values())
                .filter(topic -> topic.topicName.equals(topicName))
                .findFirst();
    }

    /// The topics whose values are events, that is all but the dead-letter queues.
    public static List<Topic> ofEvents() {
        return Arrays.stream(values()).filter(topic -> topic.schema != null).toList();
    }

    /// Its name on the broker.
    public String topicName() {
        return topicName;
    }

    /// What the key of a record says.
    public Key key() {
        return key;
    }

    /// How long records are kept.
    public Retention retention() {
        return retention;
    }

    /// In how many partitions; fixed for ever, because another count would send a pool's later
    /// records to another partition than its earlier ones.
    public int partitions() {
        return PARTITIONS;
    }

    /// The partition of a key's records, by Kafka's own partitioner.
    public int partitionOf(String key) {
        return Utils.toPositive(Utils.murmur2(key.getBytes(StandardCharsets.UTF_8))) % PARTITIONS;
    }

    /// The events it carries; empty for a dead-letter queue.
    public List<Class<? extends SpecificRecord>> recordTypes() {
        return recordTypes;
    }

    /// The subject its value schema is registered under.
    public String subject() {
        return topicName + "-value";
    }

    /// The schema of its values.
    ///
    /// @throws IllegalStateException for a dead-letter queue, which has none
    public TopicSchema schema() {
        if (schema == null) {
            throw new IllegalStateException(
                    "[%s] a dead-letter queue holds any bytes and has no schema"
                            .formatted(topicName));
        }
        return schema;
    }

    /// The dead-letter queues.
    public static List<Topic> queues() {
        return Arrays.stream(values()).filter(topic -> topic.schema == null).toList();
    }

    /// Where records of this topic go that cannot be handled, if there is such a place.
    public Optional<Topic> deadLetterQueue() {
        return named(topicName + ".dlq");
    }
}
