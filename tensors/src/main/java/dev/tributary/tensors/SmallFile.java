package dev.tributary.tensors;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;

/// Reads a file that has to be small, without trusting the size it says it has.
final class SmallFile {
    private SmallFile() {}

    static byte[] read(Path file, long maxBytes, CorruptionKind tooLarge) {
        RegularFile.check(file);
        try (InputStream in = Files.newInputStream(file, LinkOption.NOFOLLOW_LINKS)) {
            byte[] bytes = in.readNBytes(Math.toIntExact(maxBytes + 1));
            if (bytes.length > maxBytes) {
                throw new CorruptCheckpointException(
                        file, tooLarge, "has more than %d bytes, the limit".formatted(maxBytes));
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(file), e);
        }
    }
}
