package dev.tributary.stack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.jspecify.annotations.Nullable;

/// A real Kafka broker on the loopback interface, in a process of its own. Its data stay in a
/// folder and survive [#stop] and [#kill]; a broker started again on the same folder carries on at
/// the same address. Not for several threads at once.
public final class LocalBroker implements AutoCloseable {

    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final int FENCING_VERSION = 2;

    private final Path folder;
    private final int port;
    private final int controllerPort;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private @Nullable ChildProcess process;

    private LocalBroker(Path folder, int port, int controllerPort) {
        this.folder = folder.toAbsolutePath();
        this.port = port;
        this.controllerPort = controllerPort;
        settings.putAll(BrokerSettings.of(this.folder.resolve("kafka"), port, controllerPort));
    }

    /// A broker with its data in this folder, at a free port.
    public static LocalBroker in(Path folder) {
        List<Integer> ports = FreePorts.several(2);
        return new LocalBroker(folder, ports.getFirst(), ports.getLast());
    }

    /// A broker with its data in this folder, at this port.
    public static LocalBroker in(Path folder, int port) {
        FreePorts.requireFree(port, "broker");
        return new LocalBroker(folder, port, FreePorts.one());
    }

    /// Changes a setting of the broker before it starts.
    public LocalBroker with(String setting, String value) {
        settings.put(setting, value);
        return this;
    }

    /// Listens at one more port, and tells clients that come there to go on at another: that of a
    /// proxy, which passes on to the first.
    public LocalBroker behindProxy(int listens, int proxy) {
        for (var listener :
                Map.of("listeners", listens, "advertised.listeners", proxy).entrySet()) {
            settings.merge(
                    listener.getKey(),
                    "PROXIED://127.0.0.1:" + listener.getValue(),
                    (before, added) -> before + "," + added);
        }
        settings.merge(
                "listener.security.protocol.map",
                "PROXIED:PLAINTEXT",
                (before, added) -> before + "," + added);
        return with("inter.broker.listener.name", "PLAINTEXT");
    }

    /// Starts the broker and waits until it answers.
    public LocalBroker start() {
        launch();
        awaitReady();
        return this;
    }

    void launch() {
        if (running()) {
            throw new IllegalStateException("[broker] is running already");
        }
        FreePorts.requireFree(port, "broker");
        FreePorts.requireFree(controllerPort, "broker's controller");
        Path settingsFile = writeSettings();
        process =
                ChildProcess.start(
                        new JavaProgram(
                                "broker",
                                List.of(
                                        "-Xmx384m",
                                        "-XX:+UseSerialGC",
                                        "-XX:TieredStopAtLevel=1",
                                        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                                        "-Dorg.slf4j.simpleLogger.showDateTime=true",
                                        "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"),
                                List.of(StackHome.of("broker") + "/*"),
                                BrokerMain.class.getName(),
                                List.of(settingsFile.toString()),
                                Map.of()),
                        folder.resolve("logs/broker.log"));
    }

    void awaitReady() {
        child().awaitReady(DEADLINE, this::listens);
        try (Admin admin = admin()) {
            child().awaitReady(DEADLINE, () -> answers(admin));
        }
    }

    private Path writeSettings() {
        Properties properties = new Properties();
        properties.putAll(settings);
        try {
            Files.createDirectories(folder);
            Path file = folder.resolve("broker.properties");
            try (Writer writer = Files.newBufferedWriter(file)) {
                properties.store(writer, null);
            }
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean listens() {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1000);
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    private static boolean answers(Admin admin) {
        try {
            if (admin.describeCluster().nodes().get(10, TimeUnit.SECONDS).isEmpty()) {
                return false;
            }
            requireFencing(admin);
            return true;
        } catch (ExecutionException | TimeoutException _) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StackException("[broker] interrupted while waiting for it", e);
        }
    }

    /// Exactly-once processing needs the epoch to move with every transaction (KIP-890).
    private static void requireFencing(Admin admin)
            throws ExecutionException, InterruptedException, TimeoutException {
        var features = admin.describeFeatures().featureMetadata().get(10, TimeUnit.SECONDS);
        var transactions = features.finalizedFeatures().get("transaction.version");
        if (transactions == null || transactions.maxVersionLevel() < FENCING_VERSION) {
            throw new StackException(
                    "[broker] has transaction.version %s, expected %d or newer: upgrade the feature, or remove the data folder"
                            .formatted(transactions, FENCING_VERSION),
                    null);
        }
    }

    /// An admin client of this broker, the caller's to close.
    public Admin admin() {
        return Admin.create(Map.of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers()));
    }

    /// Where clients connect.
    public String bootstrapServers() {
        return "127.0.0.1:" + port;
    }

    /// Its port.
    public int port() {
        return port;
    }

    /// The process it runs in.
    ///
    /// @throws IllegalStateException when it was never started
    public long pid() {
        return child().pid();
    }

    /// Whether its process is running.
    public boolean running() {
        return process != null && process.alive();
    }

    /// Shuts it down in order. It can be started again.
    public void stop() {
        if (process != null) {
            process.stop();
        }
    }

    /// Ends its process at once (SIGKILL), as a power failure would. It can be started again.
    public void kill() {
        child().kill();
    }

    private ChildProcess child() {
        if (process == null) {
            throw new IllegalStateException("[broker] was not started");
        }
        return process;
    }

    @Override
    public void close() {
        stop();
    }
}
