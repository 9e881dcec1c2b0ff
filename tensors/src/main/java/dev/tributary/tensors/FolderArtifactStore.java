package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;

/// An [ArtifactStore] in a folder that all workers can reach.
///
/// ```
/// checkpoints/<digest>/    tasks/<digest>/    generations/<id>/    cache/    staging/    trash/
/// ```
///
/// An artifact is written below `staging`, brought to the disk, renamed to its place and the
/// folders on the way are brought to the disk too; so whoever can see it sees all of it, even after
/// a loss of power. Safe for use by many threads and processes at once.
public final class FolderArtifactStore implements ArtifactStore, AutoCloseable {
    private static final String STAGING = "staging";
    private static final String CACHE = "cache";

    private final Path root;
    private final StagingArea staging;

    private FolderArtifactStore(Path root, StagingArea staging) {
        this.root = root;
        this.staging = staging;
    }

    /// Opens the store in a folder, which is created when it is not there, and removes what dead
    /// processes have left half-written.
    public static FolderArtifactStore open(Path folder) {
        try {
            Files.createDirectories(folder);
            Path root = folder.toRealPath();
            StagingArea.removeLeftovers(root.resolve(STAGING));
            Files.createDirectories(root.resolve(CACHE));
            return new FolderArtifactStore(root, StagingArea.open(root.resolve(STAGING)));
        } catch (IOException e) {
            throw StorageFailure.of(folder, e);
        }
    }

    @Override
    public Path root() {
        return root;
    }

    @Override
    public Path cache() {
        return root.resolve(CACHE);
    }

    @Override
    public Staging stage() {
        return staging.stage();
    }

    @Override
    public Staging stage(long expectedBytes) {
        long free = freeBytes();
        if (free < expectedBytes) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.NO_SPACE,
                            root.toString(),
                            "has %d bytes free, expected at least %d: free some space, it is tried again"
                                    .formatted(free, expectedBytes)));
        }
        return stage();
    }

    @Override
    public ArtifactReference publish(Staging staged, String path) {
        return publish(staged, ArtifactPath.parse(path), contentOf(staged));
    }

    @Override
    public ArtifactReference publishByDigest(Staging staged, String collection) {
        DirectoryListing content = contentOf(staged);
        ArtifactPath path = ArtifactPath.parse(collection + "/" + content.digest().hex());
        return publish(staged, path, content);
    }

    @Override
    public Imported importDirectory(Path source, String collection, Progress progress) {
        ImportPlan plan = ImportPlan.of(source);
        try (Staging staged = stage(plan.bytes())) {
            DirectoryListing content =
                    new DigestingCopier(staged.directory(), plan.bytes(), progress)
                            .copy(plan.files());
            ArtifactPath path = ArtifactPath.parse(collection + "/" + content.digest().hex());
            return new Imported(publish(staged, path, content), plan.skipped());
        }
    }

    @Override
    public Path open(ArtifactReference reference) {
        Path folder = resolve(ArtifactPath.parse(reference.path()));
        if (!Files.isDirectory(folder)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.ARTIFACT_MISSING,
                            reference.uri(),
                            "is not in the store at %s: not published yet, or removed?"
                                    .formatted(root)));
        }
        return folder;
    }

    @Override
    public boolean exists(String path) {
        return Files.isDirectory(resolve(ArtifactPath.parse(path)));
    }

    @Override
    public ArtifactReference referenceTo(String path) {
        ArtifactPath parsed = ArtifactPath.parse(path);
        Path folder = resolve(parsed);
        if (!Files.isDirectory(folder)) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.ARTIFACT_MISSING,
                            path,
                            "is not in the store at %s".formatted(root)));
        }
        touch(folder);
        DirectoryListing content = DirectoryListing.read(folder);
        return ArtifactReference.of(parsed, content.digest(), content.bytes());
    }

    /// Somebody is about to refer to what was published long ago: it counts as new
    /// ([ArtifactTrash]).
    private static void touch(Path folder) {
        try {
            Files.setLastModifiedTime(folder, FileTime.from(Instant.now()));
        } catch (IOException e) {
            throw StorageFailure.of(folder, e);
        }
    }

    @Override
    public void verify(ArtifactReference reference) {
        DirectoryListing content = DirectoryListing.read(open(reference));
        if (!content.digest().equals(reference.digest()) || content.bytes() != reference.bytes()) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.DIGEST_MISMATCH,
                            reference.uri(),
                            "has %d bytes with digest %s, expected %d with %s: changed after publication?"
                                    .formatted(
                                            content.bytes(),
                                            content.digest(),
                                            reference.bytes(),
                                            reference.digest())));
        }
    }

    /// Gives up what is staged and not published.
    @Override
    public void close() {
        staging.close();
    }

    private DirectoryListing contentOf(Staging staged) {
        if (!staging.owns(staged)) {
            throw new IllegalArgumentException(
                    "%s was not staged in this store".formatted(staged.directory()));
        }
        return DirectoryListing.read(staged.directory());
    }

    private ArtifactReference publish(Staging staged, ArtifactPath path, DirectoryListing content) {
        Path target = resolve(path);
        if (Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            return sameAsPublished(target, path, content);
        }
        try {
            FaultPoint.ARTIFACT_STAGED.reached();
            Durable.tree(staged.directory());
            createFolders(Durable.parent(target));
            FaultPoint.ARTIFACT_SYNCED.reached();
            Files.move(staged.directory(), target, StandardCopyOption.ATOMIC_MOVE);
            FaultPoint.ARTIFACT_RENAMED.reached();
            Durable.folder(Durable.parent(target));
        } catch (FileSystemException e) {
            if (Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
                return sameAsPublished(target, path, content); // another process was quicker
            }
            throw StorageFailure.of(target, e);
        } catch (IOException e) {
            throw StorageFailure.of(target, e);
        }
        return ArtifactReference.of(path, content.digest(), content.bytes());
    }

    private ArtifactReference sameAsPublished(
            Path target, ArtifactPath path, DirectoryListing content) {
        touch(target);
        Digest published = DirectoryListing.read(target).digest();
        if (!published.equals(content.digest())) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.DIGEST_MISMATCH,
                            path.value(),
                            "is published with digest %s and never changes, but %s was staged for it"
                                    .formatted(published, content.digest())));
        }
        return ArtifactReference.of(path, content.digest(), content.bytes());
    }

    /// The place of a path. A symbolic link on the way could lead out of the store, so there must
    /// be none.
    private Path resolve(ArtifactPath path) {
        Path place = root;
        for (String name : path.names()) {
            place = place.resolve(name);
            if (Files.isSymbolicLink(place)) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.UNSAFE_PATH,
                                path.value(),
                                "leads through a symbolic link, expected folders of the store only"));
            }
        }
        return place;
    }

    private void createFolders(Path folder) throws IOException {
        if (Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        createFolders(Durable.parent(folder));
        Files.createDirectories(folder);
        Durable.folder(Durable.parent(folder));
    }

    private long freeBytes() {
        try {
            return Files.getFileStore(root).getUsableSpace();
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "cannot ask for the free space of %s".formatted(root), e);
        }
    }
}
