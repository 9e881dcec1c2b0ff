package dev.tributary.merging;

import dev.tributary.models.Example;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Keeps what experts answered to calibration inputs, so that each expert runs once for as long as
/// it is in its pool.
///
/// An entry is found by what it was computed from: the expert, the base, on which an adapter stands
/// and whose tokens end an answer, the inputs, the tokenizer, the length limit and the version of
/// the code. Entries are written aside and renamed, and carry a digest of their own: a damaged one
/// counts as absent.
final class TeacherCache {
    /// Changes whenever answers may come out differently.
    private static final int CODE_VERSION = 6;

    private static final int MAGIC = 0x54524254;
    private static final int HEADER_BYTES = 5 * Integer.BYTES;
    private static final int DIGEST_BYTES = 32;

    /// Bytes that are read or written at a time.
    private static final long PIECE = 1L << 20;

    private final Path folder;

    TeacherCache(Path folder) {
        this.folder = folder.resolve("teachers");
    }

    /// What an entry was computed from.
    ///
    /// @param leading outcomes kept one by one; 0 for whole distributions
    record Key(
            Digest expert,
            Digest base,
            Digest inputs,
            Digest tokenizer,
            int maxTokens,
            int leading) {

        /// The digest of inputs: every text with its length before it, so that no two lists of
        /// texts read the same.
        static Digest of(List<Example> inputs) {
            StringBuilder text = new StringBuilder();
            for (Example input : inputs) {
                append(text, input.text());
                append(text, Optional.ofNullable(input.textPair()).orElse("\0"));
            }
            return Digest.ofText(text.toString());
        }

        private static void append(StringBuilder text, String part) {
            text.append(part.length()).append(':').append(part).append('\n');
        }

        String fileName() {
            return Digest.ofText(
                            "%s\n%s\n%s\n%s\n%d\n%d\n%d"
                                    .formatted(
                                            expert,
                                            base,
                                            inputs,
                                            tokenizer,
                                            maxTokens,
                                            leading,
                                            CODE_VERSION))
                    .hex();
        }
    }

    /// An entry, whose numbers are read from its mapped file when they are needed.
    Optional<Teacher> find(Key key) {
        Path file = folder.resolve(key.fileName());
        try {
            return Files.exists(file) ? decode(file) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    /// Writes an entry.
    ///
    /// @return the same, read from its file
    Teacher keep(Key key, Teacher teacher) {
        Path file = folder.resolve(key.fileName());
        try {
            Files.createDirectories(folder);
            Path aside = Files.createTempFile(folder, "new-", ".partial");
            try {
                write(teacher, aside);
                Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
            } finally {
                Files.deleteIfExists(aside);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
        return find(key).orElse(teacher);
    }

    private static void write(Teacher teacher, Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            MessageDigest digest = sha256();
            write(channel, head(teacher), digest);
            for (long from = 0; from < teacher.values().byteSize(); from += PIECE) {
                long bytes = Math.min(PIECE, teacher.values().byteSize() - from);
                MemorySegment piece = teacher.values().asSlice(from, bytes);
                write(channel, ByteBuffer.wrap(piece.toArray(ValueLayout.JAVA_BYTE)), digest);
            }
            write(channel, ByteBuffer.wrap(digest.digest()), sha256());
            channel.force(true);
        }
    }

    private static void write(FileChannel channel, ByteBuffer bytes, MessageDigest digest)
            throws IOException {
        digest.update(bytes.duplicate());
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
    }

    /// All but the numbers.
    private static ByteBuffer head(Teacher teacher) {
        int[] ids = teacher.ids();
        int answers = teacher.answers().stream().mapToInt(TeacherCache::bytes).sum();
        ByteBuffer bytes =
                ByteBuffer.allocate(HEADER_BYTES + answers + ids.length * Integer.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(MAGIC)
                        .putInt(teacher.items())
                        .putInt(teacher.labels())
                        .putInt(teacher.leading())
                        .putInt(teacher.answers().size());
        for (long[] answer : teacher.answers()) {
            bytes.putInt(answer.length);
            for (long token : answer) {
                bytes.putLong(token);
            }
        }
        for (int id : ids) {
            bytes.putInt(id);
        }
        return bytes.flip();
    }

    private static int bytes(long[] answer) {
        return Integer.BYTES + answer.length * Long.BYTES;
    }

    private static Optional<Teacher> decode(Path file) throws IOException {
        MemorySegment content;
        try (FileChannel channel = FileChannel.open(file)) {
            content = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), Arena.ofAuto());
        }
        long covered = content.byteSize() - DIGEST_BYTES;
        if (covered < HEADER_BYTES
                || !Arrays.equals(
                        digest(content.asSlice(0, covered)),
                        content.asSlice(covered).toArray(ValueLayout.JAVA_BYTE))) {
            return Optional.empty();
        }
        ByteBuffer bytes =
                content.asSlice(0, Math.min(covered, Integer.MAX_VALUE))
                        .asByteBuffer()
                        .order(ByteOrder.LITTLE_ENDIAN);
        int magic = bytes.getInt();
        int items = bytes.getInt();
        int labels = bytes.getInt();
        int leading = bytes.getInt();
        List<long[]> answers = new ArrayList<>();
        for (int left = bytes.getInt(); left > 0; left--) {
            long[] answer = new long[bytes.getInt()];
            for (int i = 0; i < answer.length; i++) {
                answer[i] = bytes.getLong();
            }
            answers.add(answer);
        }
        if (magic != MAGIC) {
            return Optional.empty();
        }
        int[] ids = new int[items * leading];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = bytes.getInt();
        }
        MemorySegment values = content.asSlice(bytes.position(), covered - bytes.position());
        return Optional.of(new Teacher(items, labels, leading, ids, values, answers));
    }

    private static byte[] digest(MemorySegment content) {
        MessageDigest digest = sha256();
        for (long from = 0; from < content.byteSize(); from += PIECE) {
            long bytes = Math.min(PIECE, content.byteSize() - from);
            digest.update(content.asSlice(from, bytes).asByteBuffer());
        }
        return digest.digest();
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JVM has SHA-256", e);
        }
    }
}
