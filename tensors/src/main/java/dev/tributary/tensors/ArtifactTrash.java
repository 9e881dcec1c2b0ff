package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// What lies in a [FolderArtifactStore], and a way out of it in two steps: an artifact is first
/// moved to the trash, whole and in one step, and can be put back until it is removed for good.
///
/// One process at a time holds it.
public final class ArtifactTrash implements AutoCloseable {
    private static final String TRASH = "trash";
    private static final String LOCK = "trash.lock";
    private static final List<String> COLLECTIONS = List.of("checkpoints", "tasks", "generations");

    private final Path root;
    private final FileChannel lock;

    private ArtifactTrash(Path root, FileChannel lock) {
        this.root = root;
        this.lock = lock;
    }

    /// An artifact.
    ///
    /// @param path as in references
    /// @param touched when it was published, or last found again by who wanted to publish the same;
    ///   in the trash when it was moved there
    public record Entry(String path, long bytes, Instant touched) {}

    /// Takes hold of a store's trash.
    ///
    /// @param store the root of the store
    /// @throws RefusedException while another process holds it
    public static ArtifactTrash open(Path store) {
        try {
            FileChannel channel =
                    FileChannel.open(
                            store.resolve(LOCK),
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE);
            if (!FileLocks.tryLock(channel)) {
                channel.close();
                throw new RefusedException(
                        new Fault(
                                FailureCode.BAD_OPTION,
                                store.toString(),
                                "is being cleaned by another process, expected one at a time: try again later"));
            }
            return new ArtifactTrash(store, channel);
        } catch (IOException e) {
            throw StorageFailure.of(store, e);
        }
    }

    /// Everything that is published, in order of its path.
    public List<Entry> artifacts() {
        return below(root);
    }

    /// Everything in the trash.
    public List<Entry> trash() {
        return below(root.resolve(TRASH));
    }

    private static List<Entry> below(Path folder) {
        List<Entry> entries = new ArrayList<>();
        for (String collection : COLLECTIONS) {
            for (Path place : folders(folder.resolve(collection))) {
                entry(collection + "/" + place.getFileName(), place).ifPresent(entries::add);
            }
        }
        return entries;
    }

    private static List<Path> folders(Path collection) {
        if (!Files.isDirectory(collection, LinkOption.NOFOLLOW_LINKS)) {
            return List.of();
        }
        try (Stream<Path> all = Files.list(collection)) {
            return all.filter(place -> Files.isDirectory(place, LinkOption.NOFOLLOW_LINKS))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + collection, e);
        }
    }

    private static Optional<Entry> entry(String path, Path place) {
        try (Stream<Path> files = Files.walk(place)) {
            long bytes = 0;
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                bytes += Files.size(file);
            }
            return Optional.of(new Entry(path, bytes, touched(place)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot look into " + place, e);
        }
    }

    private static Instant touched(Path place) throws IOException {
        return Files.getLastModifiedTime(place).toInstant();
    }

    /// Moves an artifact to the trash, unless somebody has found it again since it was listed.
    ///
    /// @return whether it is there now
    public boolean discard(Entry entry) {
        Path place = root.resolve(entry.path());
        Path there = root.resolve(TRASH).resolve(entry.path());
        try {
            Files.createDirectories(Durable.parent(there));
            if (!touched(place).equals(entry.touched())) {
                return false;
            }
            Files.move(place, there, StandardCopyOption.ATOMIC_MOVE);
            if (!touched(there).equals(entry.touched())) {
                Files.move(there, place, StandardCopyOption.ATOMIC_MOVE);
                return false;
            }
            Files.setLastModifiedTime(there, FileTime.from(Instant.now()));
            Durable.folder(Durable.parent(place));
            Durable.folder(Durable.parent(there));
            return true;
        } catch (IOException e) {
            throw StorageFailure.of(place, e);
        }
    }

    /// Puts an artifact back, unless it has been published again in the meantime.
    public void restore(Entry entry) {
        Path place = root.resolve(entry.path());
        Path there = root.resolve(TRASH).resolve(entry.path());
        try {
            if (Files.exists(place, LinkOption.NOFOLLOW_LINKS)) {
                FileTree.delete(there);
                return;
            }
            Files.createDirectories(Durable.parent(place));
            Files.setLastModifiedTime(there, FileTime.from(Instant.now()));
            Files.move(there, place, StandardCopyOption.ATOMIC_MOVE);
            Durable.folder(Durable.parent(place));
        } catch (IOException e) {
            throw StorageFailure.of(place, e);
        }
    }

    /// Removes what is in the trash for good.
    public void remove(Entry entry) {
        FileTree.delete(root.resolve(TRASH).resolve(entry.path()));
    }

    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
