package dev.tributary.merging;

import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FileLocks;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32C;

/// The answers to a row of questions, in a file, so that whoever asks the same questions in the
/// same order again, after its process ended, has them without the work.
///
/// Each answer is written before the next question and outlives the process; what is half-written
/// is found by its checksum and left. One process at a time writes a journal.
final class AnswerJournal implements Closeable {
    /// Changes whenever answers may come out differently.
    private static final String CODE_VERSION = "1";

    private static final String FOLDER = "descents";

    /// How many journals are kept, the newest: a few kilobytes to a few megabytes each.
    private static final int KEPT = 32;

    private static final int QUESTION_BYTES = 32;
    private static final int LONGEST = 64 << 20;

    private final FileChannel channel;

    /// Where the next answer is, or is to be written.
    private long position;

    private boolean old = true;

    private AnswerJournal(FileChannel channel) {
        this.channel = channel;
    }

    /// The journal of some work.
    ///
    /// @param work names everything the answers follow from
    /// @return nothing where another process has it at the moment
    static Optional<AnswerJournal> open(Path cache, String work) {
        Path folder = cache.resolve(FOLDER);
        Path file = folder.resolve(Digest.ofText(CODE_VERSION + "\n" + work).hex());
        try {
            Files.createDirectories(folder);
            removeOldest(folder);
            FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.READ,
                            StandardOpenOption.WRITE);
            if (!FileLocks.tryLock(channel)) {
                channel.close();
                return Optional.empty();
            }
            Files.setLastModifiedTime(file, FileTime.fromMillis(System.currentTimeMillis()));
            return Optional.of(new AnswerJournal(channel));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep what is learnt in " + file, e);
        }
    }

    private static void removeOldest(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files =
                    all.sorted(Comparator.comparing(AnswerJournal::changed).reversed())
                            .skip(KEPT)
                            .toList();
        }
        for (Path file : files) {
            Files.deleteIfExists(file);
        }
    }

    private static FileTime changed(Path file) {
        try {
            return Files.getLastModifiedTime(file);
        } catch (IOException _) {
            return FileTime.fromMillis(0); // removed by somebody else
        }
    }

    /// The answer to the next question, where it is known. From the first one on that is not, or
    /// that is another question than last time, nothing is.
    Optional<double[]> next(Digest question) {
        if (!old) {
            return Optional.empty();
        }
        try {
            Optional<double[]> answer = read(question);
            old = answer.isPresent();
            return answer;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read what was learnt", e);
        }
    }

    private Optional<double[]> read(Digest question) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(Integer.BYTES);
        if (!filled(head, position)) {
            return Optional.empty();
        }
        int length = head.getInt();
        if (length < QUESTION_BYTES || length > LONGEST) {
            return Optional.empty();
        }
        ByteBuffer body = ByteBuffer.allocate(length + Integer.BYTES);
        if (!filled(body, position + Integer.BYTES)) {
            return Optional.empty();
        }
        int checksum = body.getInt(length);
        body.limit(length);
        byte[] asked = new byte[QUESTION_BYTES];
        body.get(asked);
        if (checksum(body.array(), length) != checksum
                || !HexFormat.of().formatHex(asked).equals(question.hex())) {
            return Optional.empty();
        }
        double[] answer = new double[body.remaining() / Double.BYTES];
        body.asDoubleBuffer().get(answer);
        position += Integer.BYTES + body.capacity();
        return Optional.of(answer);
    }

    private boolean filled(ByteBuffer buffer, long from) throws IOException {
        long at = from;
        while (buffer.hasRemaining()) {
            int read = channel.read(buffer, at);
            if (read < 0) {
                return false;
            }
            at += read;
        }
        buffer.flip();
        return true;
    }

    /// Writes down the answer to the question that was asked last.
    void write(Digest question, double[] answer) {
        int length = QUESTION_BYTES + answer.length * Double.BYTES;
        ByteBuffer bytes = ByteBuffer.allocate(length + 2 * Integer.BYTES).putInt(length);
        bytes.put(HexFormat.of().parseHex(question.hex()));
        for (double value : answer) {
            bytes.putDouble(value);
        }
        byte[] body = new byte[length];
        bytes.get(Integer.BYTES, body);
        bytes.putInt(checksum(body, length)).flip();
        try {
            channel.truncate(position);
            while (bytes.hasRemaining()) {
                position += channel.write(bytes, position);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot keep what is learnt", e);
        }
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32C sum = new CRC32C();
        sum.update(bytes, 0, length);
        return (int) sum.getValue();
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
