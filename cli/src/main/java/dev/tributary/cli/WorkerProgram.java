package dev.tributary.cli;

import dev.tributary.stack.JavaProgram;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// The packaged workers, as programs to be started beside this one.
public final class WorkerProgram {
    private static final Duration PROBE = Duration.ofSeconds(2);

    private WorkerProgram() {}

    /// A worker with its settings.
    ///
    /// @param kind the module, `merge-worker` or `eval-worker`
    /// @param name what people call it
    /// @param port of its HTTP endpoints
    /// @param cache its own folder for what can be computed again
    /// @param options of its JVM, beside those every worker needs
    public static JavaProgram of(
            String kind, String name, int port, Connection to, Path cache, List<String> options) {
        Map<String, String> environment = new LinkedHashMap<>();
        environment.put("KAFKA_BOOTSTRAP_SERVERS", to.bootstrapServers());
        environment.put("SCHEMA_REGISTRY_URL", to.registryUrl());
        environment.put("TRIBUTARY_STORE", to.store().toString());
        environment.put("TRIBUTARY_CACHE", cache.toString());
        environment.put("TRIBUTARY_MERGE_DRAIN", "5s");
        environment.put("QUARKUS_HTTP_PORT", String.valueOf(port));
        environment.put("GOMP_SPINCOUNT", "0");
        List<String> jvm =
                new ArrayList<>(
                        List.of(
                                "--add-modules",
                                "jdk.incubator.vector",
                                "--add-opens",
                                "java.base/java.lang=ALL-UNNAMED",
                                "-XX:+UseSerialGC"));
        jvm.addAll(options);
        return JavaProgram.quarkus(
                name, Home.folder().resolve(kind, "target", "quarkus-app"), jvm, environment);
    }

    /// Whether the worker at this port says that it is ready.
    public static boolean isReady(HttpClient client, int port) {
        HttpRequest request =
                HttpRequest.newBuilder(
                                URI.create("http://127.0.0.1:%d/q/health/ready".formatted(port)))
                        .timeout(PROBE)
                        .build();
        try {
            return client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
        } catch (IOException e) {
            return false;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }
}
