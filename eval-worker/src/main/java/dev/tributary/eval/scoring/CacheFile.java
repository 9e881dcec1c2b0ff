package dev.tributary.eval.scoring;

import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Objects;
import java.util.Optional;
import org.jboss.logging.Logger;

/// Bytes that can be computed again, kept in a folder under the digest of what they were computed
/// from. A file that is damaged or half-written counts as none; a folder that cannot be written to
/// costs time, never a result. Several processes may share the folder.
record CacheFile(Path folder) {

    private static final Logger LOG = Logger.getLogger(CacheFile.class);
    private static final int DIGEST_BYTES = 32;

    Optional<byte[]> read(Digest key) {
        Path file = file(key);
        try {
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            byte[] all = Files.readAllBytes(file);
            int length = all.length - DIGEST_BYTES;
            if (length >= 0
                    && Arrays.equals(digest(Arrays.copyOf(all, length)), tail(all, length))) {
                return Optional.of(Arrays.copyOf(all, length));
            }
            LOG.warnf("damaged cache file is computed again file=%s", file);
        } catch (IOException e) {
            LOG.warnf("cache file cannot be read file=%s: %s", file, e);
        }
        return Optional.empty();
    }

    void write(Digest key, byte[] bytes) {
        Path file = file(key);
        try {
            Files.createDirectories(Objects.requireNonNull(file.getParent()));
            Path aside = Files.createTempFile(file.getParent(), "aside-", ".tmp");
            try {
                Files.write(
                        aside,
                        ByteBuffer.allocate(bytes.length + DIGEST_BYTES)
                                .put(bytes)
                                .put(digest(bytes))
                                .array());
                move(aside, file);
            } finally {
                Files.deleteIfExists(aside);
            }
        } catch (IOException e) {
            LOG.warnf("result is not kept for a next time file=%s: %s", file, e);
        }
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException _) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private Path file(Digest key) {
        return folder.resolve(key.hex().substring(0, 2)).resolve(key.hex());
    }

    private static byte[] digest(byte[] bytes) {
        return HexFormat.of().parseHex(Digest.of(bytes).hex());
    }

    private static byte[] tail(byte[] all, int from) {
        return Arrays.copyOfRange(all, from, all.length);
    }
}
