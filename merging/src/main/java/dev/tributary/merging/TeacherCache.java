package dev.tributary.merging;

import dev.tributary.models.Example;
import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Keeps what experts answered to calibration inputs, so that each expert runs once for as long as
/// it is in its pool.
///
/// An entry is found by what it was computed from: the expert, the inputs, the tokenizer, the
/// length limit and the version of the code. Entries are written aside and renamed, and carry a
/// digest of their own: a damaged one counts as absent.
final class TeacherCache {
    /// Changes whenever answers may come out differently.
    private static final int CODE_VERSION = 4;

    private static final int MAGIC = 0x54524254;
    private static final int HEADER_BYTES = 5 * Integer.BYTES;
    private static final int DIGEST_BYTES = 32;

    private final Path folder;

    TeacherCache(Path folder) {
        this.folder = folder.resolve("teachers");
    }

    /// What an entry was computed from.
    ///
    /// @param leading outcomes kept one by one; 0 for whole distributions
    record Key(Digest expert, Digest inputs, Digest tokenizer, int maxTokens, int leading) {

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
                            "%s\n%s\n%s\n%d\n%d\n%d"
                                    .formatted(
                                            expert,
                                            inputs,
                                            tokenizer,
                                            maxTokens,
                                            leading,
                                            CODE_VERSION))
                    .hex();
        }
    }

    Optional<Teacher> find(Key key) {
        Path file = folder.resolve(key.fileName());
        try {
            return Files.exists(file) ? decode(Files.readAllBytes(file)) : Optional.empty();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file, e);
        }
    }

    void keep(Key key, Teacher teacher) {
        Path file = folder.resolve(key.fileName());
        try {
            Files.createDirectories(folder);
            Path aside = Files.createTempFile(folder, "new-", ".partial");
            try (FileChannel channel = FileChannel.open(aside, StandardOpenOption.WRITE)) {
                ByteBuffer bytes = encode(teacher);
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file, e);
        }
    }

    private static ByteBuffer encode(Teacher teacher) {
        float[] values = teacher.values();
        int[] ids = teacher.ids();
        int answers = teacher.answers().stream().mapToInt(TeacherCache::bytes).sum();
        ByteBuffer bytes =
                ByteBuffer.allocate(
                                HEADER_BYTES
                                        + answers
                                        + ids.length * Integer.BYTES
                                        + values.length * Float.BYTES
                                        + DIGEST_BYTES)
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
        for (float value : values) {
            bytes.putFloat(value);
        }
        return bytes.put(digest(bytes.array())).flip();
    }

    private static int bytes(long[] answer) {
        return Integer.BYTES + answer.length * Long.BYTES;
    }

    private static Optional<Teacher> decode(byte[] content) {
        if (content.length < HEADER_BYTES + DIGEST_BYTES
                || !Arrays.equals(
                        digest(content),
                        Arrays.copyOfRange(
                                content, content.length - DIGEST_BYTES, content.length))) {
            return Optional.empty();
        }
        ByteBuffer bytes = ByteBuffer.wrap(content).order(ByteOrder.LITTLE_ENDIAN);
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
        float[] values = new float[(bytes.remaining() - DIGEST_BYTES) / Float.BYTES];
        for (int i = 0; i < values.length; i++) {
            values[i] = bytes.getFloat();
        }
        return Optional.of(new Teacher(items, labels, leading, ids, values, answers));
    }

    /// The digest of everything before the digest.
    private static byte[] digest(byte[] content) {
        byte[] covered = Arrays.copyOf(content, content.length - DIGEST_BYTES);
        return java.util.HexFormat.of().parseHex(Digest.of(covered).hex());
    }
}
