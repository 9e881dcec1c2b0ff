package dev.tributary.cli;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.StorageFailure;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Stream;

/// A directory that appears whole under its name or not at all. It is put together beside it, in
/// `.NAME.partial`, by one process at a time: that holds a lock on `.NAME.lock`, which the
/// operating system gives up however the process ends. So what lies there without a holder is left
/// over from a run that died, and is removed by the next.
final class OutputFolder implements AutoCloseable {
    /// Locks of this process, which the operating system does not tell apart.
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path target;
    private final Path partial;
    private final Path lockFile;
    private final FileChannel lock;
    private final boolean tidied;
    private final Thread onInterrupt;
    private boolean interrupted;

    private OutputFolder(
            Path target, Path partial, Path lockFile, FileChannel lock, boolean tidied) {
        this.target = target;
        this.partial = partial;
        this.lockFile = lockFile;
        this.lock = lock;
        this.tidied = tidied;
        this.onInterrupt = new Thread(this::interrupt, "tributary-interrupt");
    }

    /// Begins a directory.
    ///
    /// @param option how the person calls it, for faults
    /// @throws RefusedException when it exists, or another process is at it
    static OutputFolder begin(Path out, String option) {
        Path target = out.toAbsolutePath().normalize();
        Path beside = Objects.requireNonNull(target.getParent(), "the root is no output");
        Path lockFile = beside.resolve("." + target.getFileName() + ".lock");
        Path partial = beside.resolve("." + target.getFileName() + ".partial");
        refuseExisting(target, option);
        try {
            Files.createDirectories(beside);
            boolean crashed = Files.exists(lockFile, LinkOption.NOFOLLOW_LINKS);
            FileChannel lock = lock(lockFile, option);
            try {
                return begin(target, partial, lockFile, lock, option, crashed);
            } catch (RuntimeException | IOException e) {
                if (Files.notExists(partial)) {
                    Files.deleteIfExists(lockFile);
                }
                lock.close();
                HELD.remove(lockFile);
                throw e;
            }
        } catch (IOException e) {
            throw StorageFailure.of(target, e);
        }
    }

    private static OutputFolder begin(
            Path target,
            Path partial,
            Path lockFile,
            FileChannel lock,
            String option,
            boolean crashed)
            throws IOException {
        // Another process may have finished it while this one waited for nothing.
        refuseExisting(target, option);
        boolean leftover = Files.exists(partial, LinkOption.NOFOLLOW_LINKS);
        if (leftover && !crashed) {
            Files.deleteIfExists(lockFile);
            throw refused(
                    option,
                    "is to be put together in %s, which exists but is of no run of ours: remove it"
                            .formatted(partial));
        }
        FileTrees.delete(partial);
        Files.createDirectory(partial);
        OutputFolder output = new OutputFolder(target, partial, lockFile, lock, leftover);
        Runtime.getRuntime().addShutdownHook(output.onInterrupt);
        return output;
    }

    private static void refuseExisting(Path target, String option) {
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw refused(
                    option,
                    "exists already, expected a new directory: choose another name or remove it");
        }
    }

    /// Takes the lock. Its last holder may remove the file just then, and who holds a lock on a
    /// file that is no longer there holds nothing; so the holder's mark has to be found at its
    /// place. It is looked for by its length alone: to open and close the file would give the lock
    /// up.
    private static FileChannel lock(Path file, String option) throws IOException {
        if (!HELD.add(file)) {
            throw busy(option, "of this process");
        }
        try {
            while (true) {
                FileChannel channel =
                        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                if (channel.tryLock() == null) {
                    channel.close();
                    throw busy(option, holder(file));
                }
                byte[] mark = mark();
                channel.truncate(0);
                channel.write(ByteBuffer.wrap(mark), 0);
                if (Files.exists(file) && Files.size(file) == mark.length) {
                    return channel;
                }
                channel.close();
            }
        } catch (RuntimeException | IOException e) {
            HELD.remove(file);
            throw e;
        }
    }

    /// Says who holds the lock, in a length that hardly anybody else's has.
    private static byte[] mark() {
        String said = "process %d,%n".formatted(ProcessHandle.current().pid());
        int padding = ThreadLocalRandom.current().nextInt(1 << 15);
        return (said + " ".repeat(padding)).getBytes(StandardCharsets.UTF_8);
    }

    private static String holder(Path file) throws IOException {
        String content = content(file);
        int comma = content.indexOf(',');
        return comma < 0 ? "of a process that has just begun" : content.substring(0, comma);
    }

    private static RefusedException busy(String option, String who) {
        return refused(
                option,
                "is being written by another run (%s): wait for it, or choose another name"
                        .formatted(who));
    }

    private static String content(Path file) throws IOException {
        try {
            return Files.readString(file);
        } catch (NoSuchFileException _) {
            return "";
        }
    }

    private static RefusedException refused(String option, String sentence) {
        return new RefusedException(new Fault(FailureCode.BAD_OPTION, option, sentence));
    }

    /// The directory to write into.
    Path directory() {
        return partial;
    }

    /// Whether something of a run that died was found, and removed.
    boolean tidied() {
        return tidied;
    }

    /// Brings everything to the disk and gives the directory its name.
    synchronized void finish() {
        if (interrupted) {
            throw new IllegalStateException("interrupted before it was finished");
        }
        try {
            sync(partial);
            Files.move(partial, target, StandardCopyOption.ATOMIC_MOVE);
            force(Objects.requireNonNull(target.getParent()));
        } catch (IOException e) {
            throw StorageFailure.of(target, e);
        }
    }

    /// Weights are on the disk already, so that only small files are left to be brought there.
    private static void sync(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.toList()) {
                force(path);
            }
        }
    }

    private static void force(Path path) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// Removes what is not finished, and lets the next run in.
    @Override
    public void close() {
        try {
            Runtime.getRuntime().removeShutdownHook(onInterrupt);
        } catch (IllegalStateException _) {
            return; // the process is ending, and tidies up itself
        }
        try {
            FileTrees.delete(partial);
            Files.deleteIfExists(lockFile);
            lock.close();
        } catch (IOException e) {
            throw StorageFailure.of(partial, e);
        } finally {
            HELD.remove(lockFile);
        }
    }

    /// Removes what is not finished while the process ends, by Ctrl-C or otherwise. Other threads
    /// may still write, so the lock stays with the process until there are none, and what they
    /// bring about meanwhile is left to the next run.
    private synchronized void interrupt() {
        interrupted = true;
        try {
            FileTrees.delete(partial);
        } catch (UncheckedIOException _) {
            return;
        }
    }
}
