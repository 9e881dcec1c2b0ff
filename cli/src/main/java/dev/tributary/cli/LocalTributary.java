package dev.tributary.cli;

import dev.tributary.schemas.RegistryConnection;
import dev.tributary.schemas.SchemaRegistrar;
import dev.tributary.schemas.Topic;
import dev.tributary.schemas.TopicCreator;
import dev.tributary.stack.ChildProcess;
import dev.tributary.stack.FreePorts;
import dev.tributary.stack.LocalStack;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;

/// Everything Tributary is, on this machine: broker, registry, merge-worker and eval-worker, each
/// in a process of its own, with all data in one folder.
public final class LocalTributary implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofMinutes(2);

    /// Ports to use; 0 picks a free one.
    ///
    /// @param broker of the Kafka broker
    /// @param registry of the schema registry
    /// @param mergeWorker of the merge-worker's HTTP endpoints
    /// @param evalWorker of the eval-worker's HTTP endpoints
    public record Ports(int broker, int registry, int mergeWorker, int evalWorker) {
        /// Any free ports.
        public static Ports free() {
            return new Ports(0, 0, 0, 0);
        }
    }

    private final Path data;
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private @Nullable Connection connection;

    private LocalTributary(Path data) {
        this.data = data;
    }

    /// Starts all parts, waits until each is ready and says so on the terminal.
    ///
    /// @param threads how many threads each worker computes with
    public static LocalTributary start(Path data, Ports ports, int threads, Terminal terminal) {
        LocalTributary local = new LocalTributary(data.toAbsolutePath().normalize());
        try {
            local.startParts(ports, threads, terminal);
            return local;
        } catch (RuntimeException e) {
            local.close();
            throw e;
        }
    }

    /// Where its parts are found.
    public Connection connection() {
        return java.util.Objects.requireNonNull(connection);
    }

    /// Stops all parts, the last started first.
    @Override
    public void close() {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                System.err.println("stopping: " + e.getMessage());
            }
        }
    }

    private void startParts(Ports ports, int threads, Terminal terminal) {
        List<Integer> free = FreePorts.several(4);
        int broker = chosen("broker", ports.broker(), free.get(0));
        int registry = chosen("registry", ports.registry(), free.get(1));
        int mergeWorker = chosen("merge-worker", ports.mergeWorker(), free.get(2));
        int evalWorker = chosen("eval-worker", ports.evalWorker(), free.get(3));
        parts.push(lock());
        LocalStack stack = LocalStack.start(data, broker, registry);
        parts.push(stack);
        terminal.line("  broker        %s".formatted(stack.bootstrapServers()));
        terminal.line("  registry      %s".formatted(stack.registryUrl()));
        createContract(stack);
        Connection planned =
                new Connection(
                        stack.bootstrapServers(),
                        stack.registryUrl(),
                        data.resolve("store"),
                        URI.create("http://127.0.0.1:" + mergeWorker),
                        URI.create("http://127.0.0.1:" + evalWorker),
                        ProcessHandle.current().pid());
        ChildProcess merge = worker("merge-worker", mergeWorker, planned, threads);
        ChildProcess eval = worker("eval-worker", evalWorker, planned, threads);
        awaitReady(merge, mergeWorker);
        terminal.line("  merge-worker  %s".formatted(planned.mergeWorker()));
        awaitReady(eval, evalWorker);
        terminal.line("  eval-worker   %s".formatted(planned.evalWorker()));
        planned.write(data);
        parts.push(() -> Connection.forget(data));
        connection = planned;
    }

    private static int chosen(String what, int wanted, int free) {
        if (wanted == 0) {
            return free;
        }
        FreePorts.requireFree(wanted, what);
        return wanted;
    }

    /// One stack per data folder: the lock lasts as long as this process.
    private AutoCloseable lock() {
        try {
            Files.createDirectories(data);
            FileChannel channel =
                    FileChannel.open(
                            data.resolve("stack.lock"),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock == null) {
                channel.close();
                throw new UnreachableException(
                        "[%s] another stack runs on this data folder: use it, stop it with `tributary down --data %s`, or choose another --data"
                                .formatted(data, data));
            }
            return channel;
        } catch (IOException e) {
            throw new UncheckedIOException("[%s] cannot be written".formatted(data), e);
        }
    }

    /// Makes topics and registers schemas.
    public static void createContract(LocalStack stack) {
        try (Admin admin = stack.broker().admin()) {
            new TopicCreator(admin).create(EnumSet.allOf(Topic.class));
        }
        try (var registry =
                RegistryConnection.open(Map.of(RegistryConnection.URL, stack.registryUrl()))) {
            new SchemaRegistrar(registry).register(Topic.ofEvents());
        } catch (IOException e) {
            throw new UncheckedIOException("the registry's connection does not close", e);
        }
    }

    private ChildProcess worker(String name, int port, Connection to, int threads) {
        ChildProcess process =
                ChildProcess.start(
                        WorkerProgram.of(
                                name,
                                name,
                                port,
                                to,
                                data.resolve("cache").resolve(name),
                                List.of("-Xmx1g", "-Dtributary.threads=" + threads)),
                        data.resolve("logs").resolve(name + ".log"));
        parts.push(process);
        return process;
    }

    private static void awaitReady(ChildProcess process, int port) {
        try (HttpClient client = HttpClient.newHttpClient()) {
            process.awaitReady(DEADLINE, () -> WorkerProgram.isReady(client, port));
        }
    }
}
