package dev.tributary.eval.scoring;

import dev.tributary.schemas.ConsumerGroup;
import dev.tributary.tensors.ArtifactStore;
import java.time.Clock;
import java.time.Duration;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.Serde;

/// Scores generations on tasks as they are asked for, one at a time, until it is stopped.
public final class TaskEvaluations {

    /// The consumer group all workers share.
    public static final String GROUP = ConsumerGroup.EVALUATION_TASKS.groupId();

    private final RequestLoop loop;

    /// @param consumers opens a consumer of [#GROUP]
    /// @param results takes what comes of evaluations
    /// @param events reads and writes events
    /// @param worker names this program
    /// @param unsound told when the process has to end
    public TaskEvaluations(
            EvaluationSettings settings,
            ArtifactStore store,
            Supplier<org.apache.kafka.clients.consumer.Consumer<byte[], byte[]>> consumers,
            Producer<byte[], byte[]> results,
            Serde<SpecificRecord> events,
            String worker,
            EvaluationBoard board,
            EvaluationMeters meters,
            Consumer<Throwable> unsound) {
        RequestListener listener =
                new RequestListener(
                        events.deserializer(),
                        new TaskScorer(store, new ScoreCache(settings.cache())),
                        new ResultPublisher(
                                results, events.serializer(), GROUP, worker, Clock.systemUTC()),
                        new FailurePolicy(
                                settings.maxAttempts(),
                                settings.retryFirstDelay(),
                                settings.retryMaxDelay()),
                        new CrashLedger(settings.cache().resolve("begun")),
                        settings.maxCrashes(),
                        board,
                        meters);
        loop = new RequestLoop(consumers, listener::handle, settings.retryMaxDelay(), unsound);
    }

    public void start() {
        loop.start();
    }

    /// Takes no more requests and waits for the one that runs.
    ///
    /// @return false when it still runs
    public boolean stop(Duration drain) throws InterruptedException {
        return loop.stop(drain);
    }

    /// How long ago the broker was last polled.
    public Duration sincePoll() {
        return loop.sincePoll();
    }

    /// How many partitions of requests this worker reads.
    public int partitions() {
        return loop.partitions();
    }
}
