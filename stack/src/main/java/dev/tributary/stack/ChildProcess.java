package dev.tributary.stack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// A running [JavaProgram]. It ends when it is closed, and at the latest when this process ends,
/// however that happens.
public final class ChildProcess implements AutoCloseable {

    private static final int LAST_LINES = 15;
    private static final Duration BETWEEN_PROBES = Duration.ofMillis(50);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /// Settings of this process that its children must not take for their own.
    private static final List<String> FOREIGN_SETTINGS = List.of("QUARKUS_", "APICURIO_", "KAFKA_");

    private final JavaProgram program;
    private final Process process;
    private final Path log;

    private ChildProcess(JavaProgram program, Process process, Path log) {
        this.program = program;
        this.process = process;
        this.log = log;
    }

    /// Starts a program and returns at once.
    ///
    /// @param log where its output goes, after what is there already
    public static ChildProcess start(JavaProgram program, Path log) {
        try {
            Files.createDirectories(log.toAbsolutePath().getParent());
            ProcessBuilder builder = new ProcessBuilder(program.command());
            builder.environment()
                    .keySet()
                    .removeIf(name -> FOREIGN_SETTINGS.stream().anyMatch(name::startsWith));
            builder.environment().putAll(program.environment());
            builder.redirectErrorStream(true);
            builder.redirectOutput(ProcessBuilder.Redirect.appendTo(log.toFile()));
            return new ChildProcess(program, builder.start(), log);
        } catch (IOException e) {
            throw new StackException(
                    "[%s] the process could not be started: %s"
                            .formatted(program.name(), e.getMessage()),
                    e);
        }
    }

    /// Waits until the program is ready. When it ends before, or is not ready in time, it is ended
    /// and the last lines of its log are in the message.
    public void awaitReady(Duration deadline, BooleanSupplier ready) {
        long end = System.nanoTime() + deadline.toNanos();
        while (!ready.getAsBoolean()) {
            if (exits(BETWEEN_PROBES)) {
                throw failed("ended with code %d before it was ready".formatted(exitCode()));
            }
            if (System.nanoTime() > end) {
                kill();
                throw failed("was not ready within %d s".formatted(deadline.toSeconds()));
            }
        }
    }

    private StackException failed(String what) {
        return new StackException(
                "[%s] the process %s; its log %s ends with:\n%s"
                        .formatted(program.name(), what, log, lastLines()),
                null);
    }

    private String lastLines() {
        try {
            List<String> lines =
                    new String(Files.readAllBytes(log), StandardCharsets.UTF_8).lines().toList();
            return String.join(
                    "\n", lines.subList(Math.max(0, lines.size() - LAST_LINES), lines.size()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Whether it is running.
    public boolean alive() {
        return process.isAlive();
    }

    /// Its process id.
    public long pid() {
        return process.pid();
    }

    /// What it ended with.
    ///
    /// @throws IllegalThreadStateException while it is running
    public int exitCode() {
        return process.exitValue();
    }

    /// Where its output goes.
    public Path log() {
        return log;
    }

    /// Asks it to end (SIGTERM), waits, and ends it by force when it does not.
    public void stop() {
        process.destroy();
        if (!exits(PATIENCE)) {
            kill();
        }
    }

    /// Ends it by force (SIGKILL) and waits until it is gone.
    public void kill() {
        process.destroyForcibly();
        if (!exits(PATIENCE)) {
            throw new StackException(
                    "[%s] process %d could not be ended".formatted(program.name(), pid()), null);
        }
    }

    /// Waits for its end for some time.
    ///
    /// @return whether it has ended
    public boolean exits(Duration patience) {
        try {
            return process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new StackException(
                    "[%s] interrupted while waiting for the process".formatted(program.name()), e);
        }
    }

    @Override
    public void close() {
        stop();
    }
}
