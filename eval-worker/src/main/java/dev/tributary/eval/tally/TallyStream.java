package dev.tributary.eval.tally;

import dev.tributary.eval.verdict.RegressionPolicy;
import dev.tributary.schemas.AvroWireSerde;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.streams.CloseOptions;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.jboss.logging.Logger;

/// Runs the stream, exactly once, and starts it again when it has stopped: a broker or a registry
/// that went away for long ends it, and when they are back it goes on where it was.
public final class TallyStream implements AutoCloseable {

    /// Names the stream, its consumer group and its internal topics.
    public static final String APPLICATION_ID = "tributary-eval-worker";

    private static final Logger LOG = Logger.getLogger(TallyStream.class);
    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(20);

    /// The shortest that brokers allow by default: nobody takes over from a worker that died
    /// before.
    private static final int SESSION_TIMEOUT_MILLIS = 6_000;

    private static final int HEARTBEAT_MILLIS = 1_500;
    private static final int LARGEST_TALLY_BYTES = 8 << 20;

    private final Map<String, String> broker;
    private final Map<String, String> registry;
    private final Path stateFolder;
    private final RegressionPolicy defaultPolicy;
    private final TallyObserver observer;
    private final String worker;
    private final Supplier<Duration> restartDelay;
    private final Thread supervisor =
            Thread.ofPlatform().name("tally-supervisor").daemon(true).unstarted(this::supervise);
    private final CountDownLatch closing = new CountDownLatch(1);
    private final Semaphore ended = new Semaphore(0);
    private volatile KafkaStreams.State state = KafkaStreams.State.CREATED;

    /// @param broker settings of all Kafka clients
    /// @param registry settings of the registry's client, under their full names
    /// @param stateFolder where Streams keeps its notes; one process a folder
    /// @param defaultPolicy judges pools that have no policy of their own
    /// @param observer told how pools stand
    /// @param worker names this program in the headers of events
    /// @param restartDelay how long to wait before the stream is started again
    public TallyStream(
            Map<String, String> broker,
            Map<String, String> registry,
            Path stateFolder,
            RegressionPolicy defaultPolicy,
            TallyObserver observer,
            String worker,
            Supplier<Duration> restartDelay) {
        this.broker = Map.copyOf(broker);
        this.registry = Map.copyOf(registry);
        this.stateFolder = stateFolder;
        this.defaultPolicy = defaultPolicy;
        this.observer = observer;
        this.worker = worker;
        this.restartDelay = restartDelay;
    }

    public void start() {
        supervisor.start();
    }

    /// Where the stream is.
    public KafkaStreams.State state() {
        return state;
    }

    @Override
    public void close() {
        closing.countDown();
        ended.release();
        try {
            supervisor.join(CLOSE_TIMEOUT.plusSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void supervise() {
        try {
            while (closing.getCount() > 0) {
                try {
                    runOnce();
                } catch (RuntimeException e) {
                    LOG.warnf("stream could not run: %s", rootSentence(e));
                }
                restartLater();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void restartLater() throws InterruptedException {
        Duration delay = restartDelay.get();
        if (closing.getCount() > 0) {
            LOG.warnf("stream is started again in %s", delay);
            var _ = closing.await(delay.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    private void runOnce() throws InterruptedException {
        ended.drainPermits();
        try (AvroWireSerde events = new AvroWireSerde()) {
            events.configure(registry, false);
            var topology = TallyTopology.of(new Tallying(defaultPolicy), events, observer, worker);
            KafkaStreams streams = new KafkaStreams(topology, settings(events));
            try {
                streams.setStateListener((now, _) -> changed(now));
                streams.setUncaughtExceptionHandler(TallyStream::stopped);
                streams.start();
                if (closing.getCount() > 0) {
                    ended.acquire();
                }
            } finally {
                // Leaving the group lets another worker take over at once.
                streams.close(
                        CloseOptions.timeout(CLOSE_TIMEOUT)
                                .withGroupMembershipOperation(
                                        CloseOptions.GroupMembershipOperation.LEAVE_GROUP));
            }
        }
    }

    private void changed(KafkaStreams.State now) {
        state = now;
        if (now.hasCompletedShutdown() || now == KafkaStreams.State.PENDING_ERROR) {
            ended.release();
        }
    }

    private static StreamThreadExceptionResponse stopped(Throwable failure) {
        LOG.warnf("stream stopped: %s", rootSentence(failure));
        LOG.debug("stream stopped", failure);
        return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
    }

    private Properties settings(AvroWireSerde events) {
        Properties settings = new Properties();
        settings.putAll(broker);
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, APPLICATION_ID);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, stateFolder.toString());
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        settings.put(
                StreamsConfig.DESERIALIZATION_EXCEPTION_HANDLER_CLASS_CONFIG,
                UndecodableRecords.class);
        settings.put(
                UndecodableRecords.PARTS,
                new UndecodableRecords.Parts(
                        events.serializer(), APPLICATION_ID, worker, Clock.systemUTC()));
        settings.put(
                StreamsConfig.mainConsumerPrefix("session.timeout.ms"), SESSION_TIMEOUT_MILLIS);
        settings.put(StreamsConfig.mainConsumerPrefix("heartbeat.interval.ms"), HEARTBEAT_MILLIS);
        settings.put(StreamsConfig.producerPrefix("max.request.size"), LARGEST_TALLY_BYTES);
        settings.put(StreamsConfig.producerPrefix("compression.type"), "gzip");
        return settings;
    }

    /// The failure and what is at the bottom of it.
    private static String rootSentence(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return failure.getCause() == null ? failure.toString() : "%s: %s".formatted(failure, root);
    }
}
