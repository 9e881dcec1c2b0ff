package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The files of a folder with their digests and sizes, by relative path.
record DirectoryListing(Map<String, Entry> files) {

    record Entry(Digest digest, long bytes) {}

    DirectoryListing {
        files = Map.copyOf(files);
    }

    /// Reads every file below a folder. Anything that is neither a file nor a folder is refused: a
    /// digest must not depend on what a link points to.
    static DirectoryListing read(Path directory) {
        Map<String, Entry> files = new TreeMap<>();
        for (Path path : pathsBelow(directory)) {
            if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                files.put(relative(directory, path), entry(path));
            } else if (!Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.UNSAFE_PATH,
                                path.toString(),
                                "is neither a file nor a folder: put the file itself here, not a"
                                        + " link, pipe or device"));
            }
        }
        return new DirectoryListing(files);
    }

    Digest digest() {
        return Digest.ofText(
                files.entrySet().stream()
                        .map(DirectoryListing::line)
                        .sorted()
                        .collect(Collectors.joining()));
    }

    long bytes() {
        return files.values().stream().mapToLong(Entry::bytes).sum();
    }

    static String relative(Path directory, Path file) {
        return directory
                .relativize(file)
                .toString()
                .replace(file.getFileSystem().getSeparator(), "/");
    }

    private static String line(Map.Entry<String, Entry> file) {
        return "%s  %d  %s\n"
                .formatted(file.getValue().digest().hex(), file.getValue().bytes(), file.getKey());
    }

    private static Entry entry(Path file) {
        try {
            return new Entry(Digest.of(file), Files.size(file));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(file), e);
        }
    }

    private static List<Path> pathsBelow(Path directory) {
        try (Stream<Path> paths = Files.walk(directory)) {
            return paths.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list %s".formatted(directory), e);
        }
    }
}
