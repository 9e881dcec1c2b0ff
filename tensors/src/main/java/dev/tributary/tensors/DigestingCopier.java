package dev.tributary.tensors;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Map;
import java.util.TreeMap;

/// Copies files into a staging folder and digests them on the way, so that the digest is that of
/// the bytes kept, whatever happens to the originals meanwhile.
final class DigestingCopier {
    private static final int BUFFER_BYTES = 1 << 18;

    private final byte[] buffer = new byte[BUFFER_BYTES];
    private final Path target;
    private final Progress progress;
    private final long total;
    private long done;

    DigestingCopier(Path target, long total, Progress progress) {
        this.target = target;
        this.total = total;
        this.progress = progress;
    }

    /// Copies every file to its relative path.
    DirectoryListing copy(Map<String, Path> files) {
        Map<String, DirectoryListing.Entry> copied = new TreeMap<>();
        new TreeMap<>(files).forEach((path, source) -> copied.put(path, copy(source, path)));
        return new DirectoryListing(copied);
    }

    private DirectoryListing.Entry copy(Path source, String path) {
        Path file = target.resolve(path);
        MessageDigest digest = Digest.newMessageDigest();
        long bytes = 0;
        try {
            Files.createDirectories(Durable.parent(file));
            try (InputStream in = Files.newInputStream(source, LinkOption.NOFOLLOW_LINKS);
                    OutputStream out = Files.newOutputStream(file, StandardOpenOption.CREATE_NEW)) {
                for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                    digest.update(buffer, 0, read);
                    out.write(buffer, 0, read);
                    bytes += read;
                    done += read;
                    progress.update("copy", done, Math.max(done, total));
                }
            }
        } catch (IOException e) {
            throw StorageFailure.of(file, e);
        }
        return new DirectoryListing.Entry(Digest.finish(digest), bytes);
    }
}
