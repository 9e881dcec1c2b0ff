package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// The places at which the end of a process could leave something half done. `tributary chaos` lets
/// workers end, stall or fail exactly there; without the system property `dev.tributary.fault` they
/// do nothing.
///
/// The property says `POINT:KIND:N`: what happens when a point is reached for the N-th time.
/// `dev.tributary.fault.log` names a file that gets a line just before.
public enum FaultPoint {
    /// A merge is counted as begun; nothing is computed yet.
    MERGE_BEGUN,
    /// All files of an artifact are written to the staging area, not yet brought to the disk.
    ARTIFACT_STAGED,
    /// They are on the disk, still under their temporary name.
    ARTIFACT_SYNCED,
    /// The artifact has its name; the folder that holds it is not yet on the disk.
    ARTIFACT_RENAMED,
    /// The artifact is published, and no event tells of it.
    GENERATION_MADE,
    /// A transaction has begun; nothing is in it.
    ANSWER_BEGUN,
    /// The answer is sent, the offset is not.
    ANSWER_SENT,
    /// Answer and offset are sent, not committed.
    OFFSET_SENT,
    /// The transaction is committed; the worker has not taken notice.
    ANSWER_COMMITTED,
    /// An evaluation request is read.
    REQUEST_TAKEN,
    /// A task is scored, and no event tells of it.
    TASK_SCORED,
    /// The score is published; the request's offset is not committed.
    SCORE_SENT;

    /// What happens at a point.
    public enum Kind {
        /// The process ends at once, as by SIGKILL.
        HALT,
        /// The process stops (SIGSTOP) until somebody lets it go on.
        STALL,
        /// An exception nobody expects.
        FAIL,
        /// The disk is full.
        NO_SPACE
    }

    private static final int KILLED = 137;
    private static final String PROPERTY = "dev.tributary.fault";
    private static final @Nullable Armed ARMED = Armed.of(System.getProperty(PROPERTY));

    /// Whether it is a step of a merge; else of an evaluation.
    public boolean ofMerge() {
        return switch (this) {
            case REQUEST_TAKEN, TASK_SCORED, SCORE_SENT -> false;
            case MERGE_BEGUN,
                    ARTIFACT_STAGED,
                    ARTIFACT_SYNCED,
                    ARTIFACT_RENAMED,
                    GENERATION_MADE,
                    ANSWER_BEGUN,
                    ANSWER_SENT,
                    OFFSET_SENT,
                    ANSWER_COMMITTED ->
                    true;
        };
    }

    /// What to start a Java program with so that it happens.
    public String option(Kind kind, int count) {
        return "-D%s=%s:%s:%d".formatted(PROPERTY, name(), kind.name(), count);
    }

    /// What to start a Java program with so that it writes down what happens.
    public static String logOption(Path file) {
        return "-D%s.log=%s".formatted(PROPERTY, file);
    }

    /// The program is here.
    public void reached() {
        if (ARMED != null && ARMED.point == this) {
            ARMED.reached();
        }
    }

    private record Armed(FaultPoint point, Kind kind, int count, AtomicInteger seen) {

        static @Nullable Armed of(@Nullable String text) {
            if (text == null) {
                return null;
            }
            String[] parts = text.split(":", -1);
            if (parts.length != 3) {
                throw new IllegalArgumentException(
                        "[%s] '%s', expected POINT:KIND:N".formatted(PROPERTY, text));
            }
            return new Armed(
                    FaultPoint.valueOf(parts[0]),
                    Kind.valueOf(parts[1]),
                    Integer.parseInt(parts[2]),
                    new AtomicInteger());
        }

        void reached() {
            if (seen.incrementAndGet() != count) {
                return;
            }
            log();
            switch (kind) {
                case HALT -> Runtime.getRuntime().halt(KILLED);
                case STALL -> stall();
                case FAIL ->
                        throw new IllegalStateException(
                                "fault injected at " + point.name().toLowerCase(Locale.ROOT));
                case NO_SPACE ->
                        throw new UncheckedIOException(
                                new IOException("No space left on device (fault injected)"));
            }
        }

        private void log() {
            String file = System.getProperty(PROPERTY + ".log");
            if (file != null) {
                try {
                    Files.writeString(
                            Path.of(file),
                            "%s:%s%n".formatted(point, kind),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.APPEND);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }

        private static void stall() {
            try {
                var _ =
                        new ProcessBuilder(
                                        "kill",
                                        "-STOP",
                                        Long.toString(ProcessHandle.current().pid()))
                                .start()
                                .waitFor();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
