package dev.tributary.tensors;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.regex.Pattern;

/// The SHA-256 of some content, written `sha256:` and 64 lower-case hexadecimal digits. Equal
/// digests mean equal content, so a digest can stand for what it was computed from.
public record Digest(String value) {
    private static final String PREFIX = "sha256:";
    private static final Pattern FORM = Pattern.compile("sha256:[0-9a-f]{64}");
    private static final int SHORT_DIGITS = 12;

    public Digest {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "a digest is 'sha256:' and 64 lower-case hexadecimal digits, was '%s'"
                            .formatted(value));
        }
    }

    /// The digest of these bytes.
    public static Digest of(byte[] bytes) {
        MessageDigest digest = newMessageDigest();
        digest.update(bytes);
        return finish(digest);
    }

    /// The digest of a text's UTF-8 bytes.
    public static Digest ofText(String text) {
        return of(text.getBytes(StandardCharsets.UTF_8));
    }

    /// The digest of a file's bytes, read as a stream.
    public static Digest of(Path file) {
        MessageDigest digest = newMessageDigest();
        try (InputStream in = Files.newInputStream(file)) {
            byte[] buffer = new byte[1 << 16];
            for (int read = in.read(buffer); read >= 0; read = in.read(buffer)) {
                digest.update(buffer, 0, read);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(file), e);
        }
        return finish(digest);
    }

    /// The digest of a folder: the digest of one line for each file below it, sorted, in the form
    /// `<hex of the file> <size in bytes> <relative path>` with `/` between folders.
    public static Digest ofDirectory(Path directory) {
        return DirectoryListing.read(directory).digest();
    }

    /// The 64 hexadecimal digits.
    public String hex() {
        return value.substring(PREFIX.length());
    }

    /// The first 12 hexadecimal digits, for people.
    public String shortHex() {
        return hex().substring(0, SHORT_DIGITS);
    }

    @Override
    public String toString() {
        return value;
    }

    static MessageDigest newMessageDigest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    static Digest finish(MessageDigest digest) {
        return new Digest(PREFIX + HexFormat.of().formatHex(digest.digest()));
    }
}
