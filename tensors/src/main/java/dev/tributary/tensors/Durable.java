package dev.tributary.tensors;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.stream.Stream;

/// Brings files and folder entries to the disk, so that they survive a loss of power. A rename is
/// only safe when the content is on the disk before it and the folder after it.
final class Durable {
    private Durable() {}

    /// The folder an entry lies in.
    static Path parent(Path entry) {
        return Objects.requireNonNull(entry.toAbsolutePath().getParent(), "the root has no parent");
    }

    /// Brings a folder's entries to the disk.
    static void folder(Path folder) throws IOException {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    /// Brings everything below a folder to the disk, and the folder itself.
    static void tree(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            for (Path path : paths.toList()) {
                if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                    folder(path);
                } else {
                    file(path);
                }
            }
        }
    }

    private static void file(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }
}
