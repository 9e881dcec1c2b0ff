package dev.tributary.stack;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// A real schema registry (Apicurio, through its Confluent-compatible API) on the loopback
/// interface, in a process of its own. Its schemas and their ids stay in a folder and survive
/// [#stop] and [#kill]. Not for several threads at once.
public final class LocalRegistry implements AutoCloseable {

    private static final Duration DEADLINE = Duration.ofMinutes(2);
    private static final String API = "/apis/ccompat/v7";
    private static final int OK = 200;

    private final Path folder;
    private final int port;
    private @Nullable ChildProcess process;

    private LocalRegistry(Path folder, int port) {
        this.folder = folder.toAbsolutePath();
        this.port = port;
    }

    /// A registry with its schemas in this folder, at a free port.
    public static LocalRegistry in(Path folder) {
        return new LocalRegistry(folder, FreePorts.one());
    }

    /// A registry with its schemas in this folder, at this port.
    public static LocalRegistry in(Path folder, int port) {
        FreePorts.requireFree(port, "registry");
        return new LocalRegistry(folder, port);
    }

    /// Starts the registry and waits until it answers.
    public LocalRegistry start() {
        launch();
        awaitReady();
        return this;
    }

    void launch() {
        if (running()) {
            throw new IllegalStateException("[registry] is running already");
        }
        FreePorts.requireFree(port, "registry");
        process =
                ChildProcess.start(
                        JavaProgram.quarkus(
                                "registry",
                                StackHome.of("registry"),
                                jvmOptions(FreePorts.one()),
                                Map.of()),
                        folder.resolve("logs/registry.log"));
    }

    private List<String> jvmOptions(int managementPort) {
        Path database = folder.resolve("registry/schemas");
        return List.of(
                "-Xmx256m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Dquarkus.http.host=127.0.0.1",
                "-Dquarkus.http.port=" + port,
                "-Dquarkus.management.host=127.0.0.1",
                "-Dquarkus.management.port=" + managementPort,
                "-Dquarkus.log.level=WARN",
                "-Dquarkus.otel.sdk.disabled=true",
                "-Dapicurio.storage.kind=sql",
                "-Dapicurio.storage.sql.kind=h2",
                // An id that was given out must not be lost with the process: write at once.
                "-Dapicurio.datasource.url=jdbc:h2:file:%s;WRITE_DELAY=0".formatted(database));
    }

    void awaitReady() {
        try (HttpClient client =
                HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build()) {
            child().awaitReady(DEADLINE, () -> answers(client));
        }
    }

    private boolean answers(HttpClient client) {
        HttpRequest request =
                HttpRequest.newBuilder(URI.create(url() + "/subjects"))
                        .timeout(Duration.ofSeconds(10))
                        .build();
        try {
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == OK;
        } catch (IOException _) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StackException("[registry] interrupted while waiting for it", e);
        }
    }

    /// The address of its Confluent-compatible API, for `schema.registry.url`.
    public String url() {
        return "http://127.0.0.1:%d%s".formatted(port, API);
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

    /// Ends its process at once (SIGKILL). It can be started again.
    public void kill() {
        child().kill();
    }

    private ChildProcess child() {
        if (process == null) {
            throw new IllegalStateException("[registry] was not started");
        }
        return process;
    }

    @Override
    public void close() {
        stop();
    }
}
