package dev.tributary.merge;

import dev.tributary.models.ModelDevice;
import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.ConsumerGroup;
import dev.tributary.schemas.RegistryConnection;
import dev.tributary.tensors.FolderArtifactStore;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import org.apache.kafka.clients.admin.Admin;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// The program: waits until everything it needs is there, then follows the events of the pools
/// until it is asked to stop.
@ApplicationScoped
public class MergeWorker {
    /// The consumer group all merge workers share.
    static final String GROUP = ConsumerGroup.MERGE_WORKERS.groupId();

    private static final Logger LOG = Logger.getLogger(MergeWorker.class);
    private static final int TERMINATED = 143; // as SIGTERM ends a JVM

    private final MergeConfig config;
    private final Map<String, String> broker;
    private final Map<String, String> registry;
    private final MeterRegistry meterRegistry;
    private final String version;
    private final MergeBoard board = new MergeBoard(Clock.systemUTC());
    private final Dependencies dependencies = new Dependencies();
    private @Nullable DependencyProbe probe;
    private volatile @Nullable EventPoller poller;
    private @Nullable FolderArtifactStore store;
    private @Nullable GradientHelper helper;

    MergeWorker(
            MergeConfig config,
            BrokerConfig broker,
            RegistryConfig registry,
            MeterRegistry meterRegistry,
            @ConfigProperty(name = "quarkus.application.version") String version) {
        this.config = config;
        this.broker = with(broker.all(), "", "bootstrap.servers", broker.bootstrapServers());
        this.registry = with(registry.all(), "schema.registry.", "url", registry.url());
        this.meterRegistry = meterRegistry;
        this.version = version;
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
        DependencyProbe opened =
                new DependencyProbe(
                        dependencies,
                        new KafkaClients(broker),
                        registry,
                        broker.getOrDefault("bootstrap.servers", ""),
                        config.merge().probeInterval(),
                        this::begin);
        probe = opened;
        opened.start();
    }

    void stop(@Observes ShutdownEvent stopping) throws InterruptedException {
        EventPoller running = poller;
        boolean idle = true;
        if (running != null) {
            LOG.infof("stopping, running merges have %s to finish", config.merge().drain());
            idle = running.stop(config.merge().drain());
        }
        GradientHelper openHelper = helper;
        if (openHelper != null) {
            idle &= openHelper.stop();
        }
        DependencyProbe openProbe = probe;
        if (openProbe != null) {
            openProbe.close();
        }
        FolderArtifactStore openStore = store;
        if (openStore != null) {
            openStore.close();
        }
        LOG.info("stopped");
        if (!idle) {
            // an ordinary exit would take libtorch apart under the thread that still computes with
            // it
            Runtime.getRuntime().halt(TERMINATED);
        }
    }

    /// What this worker needs and whether it is there.
    Dependencies dependencies() {
        return dependencies;
    }

    /// The merges that run and those that ran last.
    List<MergeView> merges() {
        return board.views();
    }

    /// How long ago the broker was last polled; zero before polling has begun.
    Duration sincePoll() {
        EventPoller running = poller;
        return running == null ? Duration.ZERO : running.sincePoll();
    }

    /// How many partitions this worker owns.
    int partitions() {
        EventPoller running = poller;
        return running == null ? 0 : running.partitions();
    }

    /// Called once everything needed is there.
    private void begin(Admin admin, SchemaRegistryClient schemas) {
        FolderArtifactStore opened = FolderArtifactStore.open(config.store());
        store = opened;
        MergeMeters meters = new MergeMeters(meterRegistry);
        AttemptLedger ledger = new AttemptLedger(config.cache());
        ledger.unended()
                .forEach(work -> LOG.warnf("an earlier process ended in the middle of: %s", work));
        String name = name();
        KafkaClients clients = new KafkaClients(broker);
        GradientChannel channel =
                new GradientChannel(
                        name,
                        clients,
                        new AvroWireSerializer(schemas),
                        new AvroWireDeserializer(schemas));
        ExpertMerger merger = new ExpertMerger(opened, config.cache(), channel);
        Semaphore permits = new Semaphore(config.merge().concurrent(), true);
        if (config.merge().help()) {
            GradientHelper created = new GradientHelper(channel, merger::assist, permits);
            helper = created;
            created.start();
        }
        Equipment equipment =
                new Equipment(
                        name,
                        version,
                        config.merge().maxCrashes(),
                        clients,
                        admin,
                        new AvroWireSerializer(schemas),
                        new AvroWireDeserializer(schemas),
                        new Admitter(opened),
                        merger,
                        ledger,
                        new FailurePolicy(
                                config.merge().maxAttempts(),
                                config.merge().retryFirstDelay(),
                                config.merge().retryMaxDelay()),
                        permits,
                        board,
                        meters);
        EventPoller created = new EventPoller(equipment, config.merge().maxWaitingRecords());
        meters.watch(created::backlogEvents, created::backlogMerges, board::running);
        poller = created;
        created.start();
        dependencies.there(Dependencies.Need.STORE, "at " + opened.root());
    }

    private static String name() {
        String host = System.getenv("HOSTNAME");
        try {
            return "%s/%d"
                    .formatted(
                            host == null ? InetAddress.getLocalHost().getHostName() : host,
                            ProcessHandle.current().pid());
        } catch (UnknownHostException e) {
            return "localhost/%d".formatted(ProcessHandle.current().pid());
        }
    }

    private static Map<String, String> with(
            Map<String, String> all, String prefix, String key, String value) {
        Map<String, String> settings = new HashMap<>();
        all.forEach((name, setting) -> settings.put(prefix + name, setting));
        settings.put(prefix + key, value);
        return settings;
    }

    /// Addresses of the registry, for people.
    static String registryAddress(Map<String, String> registry) {
        return registry.getOrDefault(RegistryConnection.URL, "");
    }
}
