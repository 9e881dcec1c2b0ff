package dev.tributary.eval;

import dev.tributary.eval.Dependencies.Need;
import dev.tributary.eval.scoring.EvaluationBoard;
import dev.tributary.eval.scoring.EvaluationMeters;
import dev.tributary.eval.scoring.EvaluationSettings;
import dev.tributary.eval.scoring.EvaluationView;
import dev.tributary.eval.scoring.TaskEvaluations;
import dev.tributary.eval.tally.TallyStream;
import dev.tributary.models.ModelDevice;
import dev.tributary.schemas.AvroWireSerde;
import dev.tributary.tensors.FolderArtifactStore;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.streams.KafkaStreams;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// The program: waits until everything it needs is there, then scores and judges generations until
/// it is asked to stop.
@ApplicationScoped
public class EvalWorker {

    private static final Logger LOG = Logger.getLogger(EvalWorker.class);
    private static final int TERMINATED = 143; // as SIGTERM ends a JVM

    private final EvalConfig config;
    private final Map<String, String> broker;
    private final Map<String, String> registry;
    private final MeterRegistry meterRegistry;
    private final EvaluationBoard board = new EvaluationBoard(Clock.systemUTC());
    private final Dependencies dependencies = new Dependencies();
    private final Deque<AutoCloseable> opened = new ArrayDeque<>();
    private @Nullable DependencyProbe probe;
    private volatile @Nullable TaskEvaluations evaluations;
    private volatile @Nullable TallyStream stream;

    EvalWorker(
            EvalConfig config,
            BrokerConfig broker,
            RegistryConfig registry,
            MeterRegistry meterRegistry) {
        this.config = config;
        this.broker = with(broker.all(), "", "bootstrap.servers", broker.bootstrapServers());
        this.registry = with(registry.all(), "schema.registry.", "url", registry.url());
        this.meterRegistry = meterRegistry;
    }

    void start(@Observes StartupEvent started) {
        List<String> faults = SettingsCheck.faults(config);
        if (!faults.isEmpty()) {
            throw new IllegalArgumentException(String.join("; ", faults));
        }
        config.threads()
                .ifPresent(n -> System.setProperty("tributary.threads", Integer.toString(n)));
        System.setProperty("tributary.device", config.device());
        ModelDevice.refuseUnlessPresent();
        DependencyProbe asking =
                new DependencyProbe(
                        dependencies,
                        () -> new KafkaClients(broker).admin(),
                        registry,
                        broker.getOrDefault("bootstrap.servers", ""),
                        config.eval().probeInterval(),
                        this::begin);
        probe = asking;
        asking.start();
    }

    void stop(@Observes ShutdownEvent stopping) throws InterruptedException {
        DependencyProbe asking = probe;
        if (asking != null) {
            asking.close();
        }
        TaskEvaluations running = evaluations;
        boolean idle = true;
        if (running != null) {
            LOG.infof("stopping, a running evaluation has %s to finish", config.eval().drain());
            idle = running.stop(config.eval().drain());
        }
        while (!opened.isEmpty()) {
            close(opened.pop());
        }
        LOG.info("stopped");
        if (!idle) {
            // an ordinary exit would take libtorch apart under the thread that still computes with
            // it
            Runtime.getRuntime().halt(TERMINATED);
        }
    }

    /// Called once everything needed is there.
    private synchronized void begin() {
        FolderArtifactStore store = FolderArtifactStore.open(config.store());
        opened.push(store);
        KafkaClients clients = new KafkaClients(broker);
        AvroWireSerde events = new AvroWireSerde();
        events.configure(registry, false);
        opened.push(events);
        Producer<byte[], byte[]> results = clients.results();
        opened.push(() -> results.close(KafkaClients.CLOSE_TIMEOUT));
        String name = name();
        TallyStream tally =
                new TallyStream(
                        broker,
                        registry,
                        config.eval().state(),
                        SettingsCheck.policy(config),
                        new PoolMeters(meterRegistry),
                        name,
                        config.eval()::probeInterval);
        opened.push(tally);
        TaskEvaluations scoring =
                new TaskEvaluations(
                        new EvaluationSettings(
                                config.cache().resolve("evaluations"),
                                config.eval().maxAttempts(),
                                config.eval().maxCrashes(),
                                config.eval().retryFirstDelay(),
                                config.eval().retryMaxDelay()),
                        store,
                        () -> clients.requests(TaskEvaluations.GROUP),
                        results,
                        events,
                        name,
                        board,
                        new EvaluationMeters(meterRegistry, board),
                        _ -> Quarkus.asyncExit(1));
        stream = tally;
        evaluations = scoring;
        tally.start();
        scoring.start();
        dependencies.there(Need.STORE, "at " + store.root());
    }

    private static void close(AutoCloseable part) {
        try {
            part.close();
        } catch (Exception e) {
            LOG.warnf("not closed in order: %s", e);
        }
    }

    /// What this worker needs and whether it is there.
    Dependencies dependencies() {
        return dependencies;
    }

    /// The evaluations that run and those that ran last.
    List<EvaluationView> evaluations() {
        return board.views();
    }

    /// How long ago the broker was last polled for requests; zero before that has begun.
    Duration sincePoll() {
        TaskEvaluations running = evaluations;
        return running == null ? Duration.ZERO : running.sincePoll();
    }

    /// How many partitions of requests this worker reads.
    int partitions() {
        TaskEvaluations running = evaluations;
        return running == null ? 0 : running.partitions();
    }

    /// Where the stream is.
    KafkaStreams.State streamState() {
        TallyStream running = stream;
        return running == null ? KafkaStreams.State.CREATED : running.state();
    }

    private static String name() {
        String host = System.getenv("HOSTNAME");
        try {
            return "/eval-worker/%s/%d"
                    .formatted(
                            host == null ? InetAddress.getLocalHost().getHostName() : host,
                            ProcessHandle.current().pid());
        } catch (UnknownHostException _) {
            return "/eval-worker/localhost/%d".formatted(ProcessHandle.current().pid());
        }
    }

    private static Map<String, String> with(
            Map<String, String> all, String prefix, String key, String value) {
        Map<String, String> settings = new HashMap<>();
        all.forEach((name, setting) -> settings.put(prefix + name, setting));
        settings.put(prefix + key, value);
        return settings;
    }
}
