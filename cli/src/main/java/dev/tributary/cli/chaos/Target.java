package dev.tributary.cli.chaos;

import dev.tributary.cli.Connection;
import dev.tributary.cli.WorkerProgram;
import dev.tributary.stack.ChildProcess;
import dev.tributary.stack.FreePorts;
import dev.tributary.tensors.FaultPoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One worker of a campaign: a process that is harmed and started again, under the same name and
/// with the same cache.
final class Target implements AutoCloseable {
    private static final List<String> SMALL =
            List.of("-Xmx256m", "-XX:TieredStopAtLevel=1", "-Dtributary.threads=1");

    private final String kind;
    private final String name;
    private final Connection connection;
    private final Path data;
    private final List<String> always;
    private final int port = FreePorts.one();
    private @Nullable ChildProcess process;
    private boolean frozen;
    private boolean ready;
    private int faultsAtStart;

    /// @param options of its JVM, always
    Target(String kind, String name, Connection connection, Path data, List<String> options) {
        this.kind = kind;
        this.name = name;
        this.connection = connection;
        this.data = data;
        this.always = List.copyOf(options);
    }

    boolean merges() {
        return kind.equals("merge-worker");
    }

    /// Starts it.
    ///
    /// @param fault a JVM option that arms a fault; null for none
    void start(@Nullable String fault) {
        List<String> options = new ArrayList<>(SMALL);
        options.addAll(always);
        options.add(FaultPoint.logOption(faultLog()));
        if (fault != null) {
            options.add(fault);
        }
        faultsAtStart = faults().size();
        process =
                ChildProcess.start(
                        WorkerProgram.of(
                                kind,
                                name,
                                port,
                                connection,
                                data.resolve("cache").resolve(name),
                                options),
                        data.resolve("logs").resolve(name + ".log"));
        frozen = false;
        ready = false;
    }

    private Path faultLog() {
        return data.resolve(name + ".faults");
    }

    /// Faults that have happened in it by now, `POINT:KIND`, the oldest first.
    List<String> faults() {
        try {
            return Files.exists(faultLog()) ? Files.readAllLines(faultLog()) : List.of();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Whether a fault at a named point has ended it since its last start.
    boolean halted() {
        List<String> all = faults();
        return all.size() > faultsAtStart && all.getLast().endsWith(FaultPoint.Kind.HALT.name());
    }

    boolean alive() {
        return process != null && process.alive();
    }

    boolean frozen() {
        return frozen;
    }

    /// Whether it has ever said, since its last start, that it is ready.
    boolean ready(HttpClient client) {
        if (!ready && alive() && !frozen) {
            ready = WorkerProgram.isReady(client, port);
        }
        return ready && alive();
    }

    void kill() {
        if (process != null) {
            process.kill();
        }
        frozen = false;
        ready = false;
    }

    void freeze() {
        signal("STOP");
        frozen = true;
    }

    void thaw() {
        signal("CONT");
        frozen = false;
    }

    private void signal(String signal) {
        if (process == null) {
            return;
        }
        try {
            var _ =
                    new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid()))
                            .start()
                            .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        if (process != null) {
            if (frozen) {
                thaw();
            }
            process.stop();
        }
    }
}
