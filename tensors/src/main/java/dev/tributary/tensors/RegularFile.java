package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Finds the ordinary file behind a name in a checkpoint's folder, before anything is opened: a
/// pipe would block its reader for ever, and a link can lead anywhere.
final class RegularFile {
    private static final String HUB_SNAPSHOTS = "snapshots";
    private static final String HUB_BLOBS = "blobs";

    private RegularFile() {}

    /// Refuses what is not an ordinary file, links included.
    static void check(Path file) {
        if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.NOT_A_REGULAR_FILE,
                    Files.exists(file, LinkOption.NOFOLLOW_LINKS)
                            ? "is a folder, link, pipe or device, expected a file"
                            : "does not exist, expected a file");
        }
    }

    /// The file of this name in a folder. A symbolic link is followed when it stays inside of the
    /// folder, and in a Hugging Face cache (`snapshots/<revision>/<name>`) also to the `blobs`
    /// folder beside `snapshots`, where that cache keeps its content.
    static Path in(Path directory, String name) {
        Path file = directory.resolve(name);
        if (!Files.isSymbolicLink(file)) {
            check(file);
            return file;
        }
        Path target = target(file);
        if (!staysInside(directory, target)) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.SYMLINK_OUT,
                    "is a symbolic link out of its folder: put the file itself there");
        }
        check(target);
        return target;
    }

    /// Whether a link's target may be read on behalf of a folder.
    static boolean staysInside(Path directory, Path target) {
        try {
            Path folder = directory.toRealPath();
            return target.startsWith(folder) || isHubBlob(folder, target);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot resolve %s".formatted(directory), e);
        }
    }

    private static boolean isHubBlob(Path folder, Path target) {
        Path snapshots = folder.getParent();
        return snapshots != null
                && snapshots.endsWith(HUB_SNAPSHOTS)
                && snapshots.resolveSibling(HUB_BLOBS).equals(target.getParent());
    }

    private static Path target(Path link) {
        try {
            return link.toRealPath();
        } catch (IOException e) {
            throw new CorruptCheckpointException(
                    link,
                    CorruptionKind.NOT_A_REGULAR_FILE,
                    "is a symbolic link to nothing, expected a file",
                    e);
        }
    }
}
