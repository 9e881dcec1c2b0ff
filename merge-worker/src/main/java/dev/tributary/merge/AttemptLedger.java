package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// Counts on disk how often a piece of work was begun and never ended. Whatever ends the whole
/// process, such as a native library that fails or memory that runs out, leaves no other trace.
final class AttemptLedger {
    private final Path folder;

    /// Keeps the counts in a folder of their own below this one.
    AttemptLedger(Path parent) {
        this.folder = parent.resolve("attempts");
    }

    /// Writes down that work begins.
    ///
    /// @param work names the work; the same name is the same work
    /// @return the how-manieth beginning without an end this is, from 1
    int begin(String work) {
        try {
            Files.createDirectories(folder);
            Path file = file(work);
            int attempt = Files.exists(file) ? count(file) + 1 : 1;
            try (FileChannel channel =
                    FileChannel.open(
                            file,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.TRUNCATE_EXISTING)) {
                channel.write(ByteBuffer.wrap("%d %s%n".formatted(attempt, work).getBytes(UTF_8)));
                channel.force(true);
            }
            return attempt;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write in %s".formatted(folder), e);
        }
    }

    /// Writes down that work has ended, well or not: the process has survived it.
    void end(String work) {
        try {
            Files.deleteIfExists(file(work));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write in %s".formatted(folder), e);
        }
    }

    /// Work that was begun and has not ended, as far as this folder knows.
    List<String> unended() {
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        List<String> works = new ArrayList<>();
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.sorted().toList()) {
                String text = Files.readString(file).strip();
                works.add(text.substring(text.indexOf(' ') + 1));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(folder), e);
        }
        return works;
    }

    private Path file(String work) {
        return folder.resolve(Digest.ofText(work).hex());
    }

    /// A file that a power loss left empty counts as one beginning.
    private static int count(Path file) throws IOException {
        String text = Files.readString(file).strip();
        int end = text.indexOf(' ');
        return end < 0 ? 1 : Integer.parseInt(text.substring(0, end));
    }
}
