package dev.tributary.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/// The most memory this process has had at once, pages of mapped files included, where the system
/// tells.
final class PeakMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String PEAK = "VmHWM:";

    private PeakMemory() {}

    static OptionalLong bytes() {
        try (Stream<String> lines = Files.lines(STATUS)) {
            return of(lines);
        } catch (IOException _) {
            return OptionalLong.empty();
        }
    }

    /// Reads it off the lines of the system's file, where it stands in kilobytes.
    static OptionalLong of(Stream<String> lines) {
        return lines.filter(line -> line.startsWith(PEAK))
                .map(line -> line.replaceAll("[^0-9]", ""))
                .filter(digits -> !digits.isEmpty())
                .mapToLong(digits -> Long.parseLong(digits) * 1024)
                .findFirst();
    }
}
