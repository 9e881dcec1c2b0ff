package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The folder in which one process stages artifacts, below the store's `staging`.
///
/// The process holds a lock on a file beside its folder for as long as it lives. The operating
/// system gives the lock up when a process dies, however it dies; so what nobody holds a lock for
/// is a leftover, whatever its age, and what somebody holds a lock for is not touched.
final class StagingArea implements AutoCloseable {
    private static final String LOCK_SUFFIX = ".lock";

    /// Names of this process's lock files, of which there are no two the same. The system gives a
    /// process's lock on a file up as soon as the process closes that file anywhere, so these are
    /// not opened a second time.
    private static final Set<String> HELD = ConcurrentHashMap.newKeySet();

    private final Path folder;
    private final Path lockFile;
    private final FileChannel lockChannel;

    private StagingArea(Path folder, Path lockFile, FileChannel lockChannel) {
        this.folder = folder;
        this.lockFile = lockFile;
        this.lockChannel = lockChannel;
    }

    /// Opens a folder of its own for this process.
    static StagingArea open(Path staging) {
        try {
            Files.createDirectories(staging);
            while (true) {
                StagingArea area = tryOpen(staging, UUID.randomUUID().toString());
                if (area != null) {
                    Files.createDirectory(area.folder);
                    return area;
                }
            }
        } catch (IOException e) {
            throw StorageFailure.of(staging, e);
        }
    }

    /// Null when a cleaner was quicker to lock the new file than its owner.
    private static @Nullable StagingArea tryOpen(Path staging, String owner) throws IOException {
        Path lockFile = staging.resolve(owner + LOCK_SUFFIX);
        HELD.add(owner + LOCK_SUFFIX);
        FileChannel channel =
                FileChannel.open(lockFile, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        @Nullable FileLock lock = tryLock(channel);
        if (lock == null || !Files.exists(lockFile, LinkOption.NOFOLLOW_LINKS)) {
            channel.close();
            return null;
        }
        return new StagingArea(staging.resolve(owner), lockFile, channel);
    }

    /// Removes what processes that are no longer alive have left behind.
    static void removeLeftovers(Path staging) {
        if (!Files.isDirectory(staging, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        try {
            for (Path lockFile : list(staging)) {
                String name = lockFile.getFileName().toString();
                if (name.endsWith(LOCK_SUFFIX)) {
                    String owner = name.substring(0, name.length() - LOCK_SUFFIX.length());
                    removeIfDead(lockFile, staging.resolve(owner));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot clean %s".formatted(staging), e);
        }
    }

    private static void removeIfDead(Path lockFile, Path folder) throws IOException {
        if (HELD.contains(lockFile.getFileName().toString())) {
            return;
        }
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE)) {
            @Nullable FileLock lock = tryLock(channel);
            if (lock != null) {
                FileTree.delete(folder);
                Files.deleteIfExists(lockFile);
            }
        } catch (NoSuchFileException e) {
            // Its owner, or another cleaner, has just removed it.
            return;
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // held by this very process
        }
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.toList();
        }
    }

    /// A new empty folder.
    Staging stage() {
        try {
            return new Staging(Files.createDirectory(folder.resolve(UUID.randomUUID().toString())));
        } catch (IOException e) {
            throw StorageFailure.of(folder, e);
        }
    }

    boolean owns(Staging staging) {
        return folder.equals(staging.directory().getParent());
    }

    @Override
    public void close() {
        try {
            FileTree.delete(folder);
            Files.deleteIfExists(lockFile);
            lockChannel.close();
            HELD.remove(lockFile.getFileName().toString());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot clean %s".formatted(folder), e);
        }
    }
}
