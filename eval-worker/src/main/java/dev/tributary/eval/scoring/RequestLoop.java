package dev.tributary.eval.scoring;

import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.clients.consumer.CloseOptions;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Reads requests, one at a time. A thread of its own polls at least once a second, so however long
/// an evaluation takes the worker keeps its place in the group; the evaluation itself runs on
/// another thread while all partitions are paused. The offset is committed after the result has
/// been written.
final class RequestLoop implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(RequestLoop.class);

    private static final Duration IDLE_POLL = Duration.ofSeconds(1);
    private static final Duration BUSY_POLL = Duration.ofMillis(100);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(3);

    /// What is done with a record.
    interface Handler {
        void handle(ConsumerRecord<byte[], byte[]> record) throws InterruptedException;
    }

    private final Supplier<Consumer<byte[], byte[]>> consumers;
    private final Handler handler;
    private final Duration reconnectDelay;
    private final java.util.function.Consumer<Throwable> unsound;
    private final Thread poller =
            Thread.ofPlatform().name("evaluation-requests").unstarted(this::run);
    private final ExecutorService worker =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("evaluation").daemon(true).factory());
    private final Set<TopicPartition> owned = new HashSet<>();
    private volatile boolean stopping;
    private volatile long lastPoll = System.nanoTime();
    private volatile int partitions;
    private @Nullable Work work;

    /// Whether the partition of the work at hand has been away in the meantime: another worker may
    /// be further by now, so its offset is not this worker's to commit.
    private boolean workStrayed;

    /// @param consumers opens a consumer of the group
    /// @param reconnectDelay how long to wait before another consumer is opened
    /// @param unsound told when the process has to end
    RequestLoop(
            Supplier<Consumer<byte[], byte[]>> consumers,
            Handler handler,
            Duration reconnectDelay,
            java.util.function.Consumer<Throwable> unsound) {
        this.consumers = consumers;
        this.handler = handler;
        this.reconnectDelay = reconnectDelay;
        this.unsound = unsound;
    }

    private record Work(ConsumerRecord<byte[], byte[]> record, Future<?> outcome) {

        TopicPartition partition() {
            return new TopicPartition(record.topic(), record.partition());
        }
    }

    void start() {
        poller.start();
    }

    /// How long ago the broker was last polled.
    Duration sincePoll() {
        return Duration.ofNanos(System.nanoTime() - lastPoll);
    }

    /// How many partitions this worker reads.
    int partitions() {
        return partitions;
    }

    /// Takes no more requests and waits for the one that runs; what is not finished in time is left
    /// to whoever reads it next.
    ///
    /// @return false when an evaluation did not even give up in time and still runs
    boolean stop(Duration drain) throws InterruptedException {
        stopping = true;
        if (!poller.join(drain)) {
            LOG.warnf("evaluation not finished within %s is left to another worker", drain);
        }
        close();
        poller.join(IDLE_POLL.multipliedBy(5));
        return worker.awaitTermination(IDLE_POLL.toMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        stopping = true;
        worker.shutdownNow();
    }

    private void run() {
        while (!stopping) {
            Consumer<byte[], byte[]> consumer = null;
            try {
                consumer = consumers.get();
                consumer.subscribe(
                        List.of(Topic.EVALUATION_REQUESTS.topicName()), new Rebalances(consumer));
                follow(consumer);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            } catch (RuntimeException e) {
                LOG.warnf("waiting for broker, tried again in %s: %s", reconnectDelay, e);
                pause();
            } finally {
                close(consumer);
            }
        }
    }

    private static void close(@Nullable Consumer<byte[], byte[]> consumer) {
        try {
            if (consumer != null) {
                consumer.close(CloseOptions.timeout(CLOSE_TIMEOUT));
            }
        } catch (KafkaException e) {
            LOG.debug("a consumer did not close in order", e);
        }
    }

    private void pause() {
        lastPoll = System.nanoTime();
        try {
            Thread.sleep(reconnectDelay);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void follow(Consumer<byte[], byte[]> consumer) throws InterruptedException {
        owned.clear();
        workStrayed = true;
        while (!(stopping && work == null)) {
            Work running = work;
            for (var record : consumer.poll(running == null ? IDLE_POLL : BUSY_POLL)) {
                // One record a poll, and none while partitions are paused.
                begin(record);
                consumer.pause(consumer.assignment());
            }
            lastPoll = System.nanoTime();
            partitions = owned.size();
            if (running != null && running.outcome().isDone()) {
                work = null;
                if (!finish(consumer, running)) {
                    return;
                }
                consumer.resume(consumer.assignment());
            }
            if (worker.isShutdown()) {
                return;
            }
        }
    }

    private void begin(ConsumerRecord<byte[], byte[]> record) {
        if (work != null) {
            throw new IllegalStateException("a second record was read while one is worked on");
        }
        workStrayed = false;
        work =
                new Work(
                        record,
                        worker.submit(() -> {
                            handler.handle(record);
                            return null;
                        }));
    }

    /// Commits what is done.
    ///
    /// @return whether to go on
    private boolean finish(Consumer<byte[], byte[]> consumer, Work done)
            throws InterruptedException {
        try {
            var _ = done.outcome().get();
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof InterruptedException)) {
                LOG.error("this process has to end", e.getCause());
                stopping = true;
                unsound.accept(e.getCause());
            }
            return false;
        }
        if (workStrayed) {
            return true; // its new reader repeats it, at the price of a look into the cache
        }
        OffsetAndMetadata next = new OffsetAndMetadata(done.record().offset() + 1);
        try {
            consumer.commitSync(Map.of(done.partition(), next));
        } catch (KafkaException e) {
            LOG.warnf(
                    "offset not committed, the request is repeated topic=%s partition=%d offset=%d: %s",
                    done.record().topic(), done.record().partition(), done.record().offset(), e);
        }
        return true;
    }

    /// Newly assigned partitions come unpaused.
    private final class Rebalances implements ConsumerRebalanceListener {

        private final Consumer<byte[], byte[]> consumer;

        Rebalances(Consumer<byte[], byte[]> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
            owned.addAll(assigned);
            if (work != null) {
                consumer.pause(assigned);
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> revoked) {
            owned.removeAll(revoked);
            Work running = work;
            if (running != null && revoked.contains(running.partition())) {
                workStrayed = true;
            }
        }
    }
}
