package dev.tributary.merge;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.stack.ChildProcess;
import dev.tributary.stack.FreePorts;
import dev.tributary.stack.JavaProgram;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// The packaged worker in a process of its own, with the ways to disturb it.
final class WorkerProcess implements AutoCloseable {
    static final Path APPLICATION = Path.of("target", "quarkus-app").toAbsolutePath();
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ChildProcess process;
    private final int port;
    private final HttpClient http = HttpClient.newHttpClient();

    private WorkerProcess(ChildProcess process, int port) {
        this.process = process;
        this.port = port;
    }

    static WorkerProcess start(
            String name, Path folder, List<String> installation, List<String> settings) {
        int port = FreePorts.one();
        List<String> options = new ArrayList<>();
        options.addAll(
                List.of(
                        "--add-modules",
                        "jdk.incubator.vector",
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-Dquarkus.http.port=" + port));
        options.addAll(installation);
        options.addAll(settings);
        return new WorkerProcess(
                ChildProcess.start(
                        JavaProgram.quarkus(
                                name, APPLICATION, options, Map.of("GOMP_SPINCOUNT", "0")),
                        folder.resolve(name + ".log")),
                port);
    }

    /// Waits until it says it is ready.
    WorkerProcess ready() {
        process.awaitReady(Installation.PATIENCE, () -> status("/q/health/ready") == 200);
        return this;
    }

    /// Waits until it is in the middle of learning the coefficients of a pool's merge.
    void awaitMerging(String pool) {
        process.awaitReady(Installation.PATIENCE, () -> merging(pool));
    }

    /// Whether it is.
    boolean merging(String pool) {
        for (JsonNode merge : merges()) {
            if (merge.path("outcome").asText().equals("RUNNING")
                    && merge.path("pool").asText().equals(pool)
                    && merge.path("stage").asText().startsWith("optimising")) {
                return true;
            }
        }
        return false;
    }

    /// Waits until its log says this.
    void awaitLog(String words) {
        process.awaitReady(Installation.PATIENCE, () -> log().contains(words));
    }

    /// What `GET /merges` answers.
    JsonNode merges() {
        try {
            return JSON.readTree(get("/merges"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// What an address answers; empty when nothing does.
    String get(String path) {
        try {
            return http.send(request(path), HttpResponse.BodyHandlers.ofString()).body();
        } catch (IOException e) {
            return "";
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /// The status an address answers with; -1 when nothing does.
    int status(String path) {
        try {
            return http.send(request(path), HttpResponse.BodyHandlers.discarding()).statusCode();
        } catch (IOException e) {
            return -1;
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /// Ends it by force.
    void kill() {
        process.kill();
    }

    /// Stops all its threads where they are.
    void freeze() {
        signal("STOP");
    }

    /// Lets its threads go on.
    void thaw() {
        signal("CONT");
    }

    /// Asks it to end.
    void terminate() {
        signal("TERM");
    }

    /// Waits for its end.
    boolean exits(Duration patience) {
        return process.exits(patience);
    }

    boolean alive() {
        return process.alive();
    }

    String log() {
        try {
            return Files.readString(process.log());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void signal(String name) {
        try {
            int code =
                    new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                            .start()
                            .waitFor();
            if (code != 0) {
                throw new IllegalStateException("kill ended with " + code);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private HttpRequest request(String path) {
        return HttpRequest.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(port, path)))
                .timeout(Duration.ofSeconds(5))
                .build();
    }

    private static IllegalStateException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        return new IllegalStateException(e);
    }

    @Override
    public void close() {
        process.close();
    }
}
