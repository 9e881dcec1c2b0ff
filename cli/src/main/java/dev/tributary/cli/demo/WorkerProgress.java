package dev.tributary.cli.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.cli.Connection;
import dev.tributary.cli.Terminal;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Asks the workers twice a second how far they are and shows it as progress bars.
final class WorkerProgress implements AutoCloseable {
    private static final Duration BETWEEN = Duration.ofMillis(500);

    private final Connection connection;
    private final String pool;
    private final Terminal terminal;
    private final HttpClient client = HttpClient.newHttpClient();
    private final ObjectMapper json = new ObjectMapper();
    private final Thread thread;
    private Set<String> shown = new HashSet<>();

    private WorkerProgress(Connection connection, String pool, Terminal terminal) {
        this.connection = connection;
        this.pool = pool;
        this.terminal = terminal;
        thread = Thread.ofVirtual().name("worker-progress").unstarted(this::poll);
    }

    static WorkerProgress start(Connection connection, String pool, Terminal terminal) {
        WorkerProgress progress = new WorkerProgress(connection, pool, terminal);
        progress.thread.start();
        return progress;
    }

    private void poll() {
        try {
            while (true) {
                Set<String> now = new HashSet<>();
                show(connection.mergeWorker(), "/merges", "merging generation %d", now);
                show(connection.evalWorker(), "/evaluations", "evaluating generation %d", now);
                shown.stream().filter(label -> !now.contains(label)).forEach(terminal::forget);
                shown = now;
                Thread.sleep(BETWEEN);
            }
        } catch (InterruptedException _) {
            shown.forEach(terminal::forget);
        }
    }

    private void show(@Nullable URI worker, String path, String label, Set<String> now)
            throws InterruptedException {
        if (worker == null) {
            return;
        }
        try {
            HttpResponse<byte[]> answer =
                    client.send(
                            HttpRequest.newBuilder(worker.resolve(path))
                                    .timeout(Duration.ofSeconds(2))
                                    .build(),
                            HttpResponse.BodyHandlers.ofByteArray());
            for (JsonNode work : json.readTree(answer.body())) {
                if (work.path("pool").asText().equals(pool)
                        && work.path("outcome").asText().equals("RUNNING")) {
                    String name = label.formatted(work.path("number").asLong());
                    long total = work.path("total").asLong();
                    long done = Math.min(work.path("done").asLong(), total - 1);
                    if (total > 0) {
                        terminal.progress(name, work.path("stage").asText(), done, total);
                        now.add(name);
                    }
                }
            }
        } catch (IOException _) {
            // A worker that does not answer just now shows no bar; its health is the doctor's.
        }
    }

    @Override
    public void close() {
        thread.interrupt();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        client.close();
    }
}
