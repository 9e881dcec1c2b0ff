package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class HostileCheckpointTest {
    /// All that may be allocated while a folder is looked at, garbage included, besides a multiple
    /// of what the files really hold: claims cost nothing.
    private static final long ALLOWED_BYTES = 64L << 20;

    private static final int ALLOWED_PER_BYTE = 16;

    @TempDir Path folder;

    static Stream<HostileFile> files() {
        return Stream.of(HostileHeaders.all(), HostileVariations.all(), HostileFolders.all())
                .flatMap(all -> all);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("files")
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void isRefusedInItsOwnWayWithLittleMemory(HostileFile hostile) throws IOException {
        hostile.makeIn(folder);
        long before = allocatedBytes();

        CorruptCheckpointException refusal =
                catchThrowableOfType(
                        CorruptCheckpointException.class, () -> Checkpoint.open(folder).close());

        assertThat(refusal).as("%s is refused", hostile).isNotNull();
        assertThat(refusal.kind()).isEqualTo(hostile.expected());
        assertThat(refusal.faults()).hasSize(1);
        Fault fault = refusal.faults().getFirst();
        assertThat(fault.code()).isEqualTo(code(hostile));
        assertThat(fault.where()).startsWith(folder.toString());
        assertThat(fault.sentence()).hasSizeLessThan(500).doesNotContainPattern("\\p{Cntrl}");
        assertThat(allocatedBytes() - before)
                .isLessThan(ALLOWED_BYTES + ALLOWED_PER_BYTE * bytesBelow(folder));
    }

    @Test
    void thereIsAHostileFileForEveryKind() {
        Set<CorruptionKind> covered =
                files().map(HostileFile::expected).collect(Collectors.toSet());

        assertThat(covered).containsExactlyInAnyOrder(CorruptionKind.values());
    }

    /// For others to try their readers on: a folder each, and a list with what is to be answered.
    @Test
    void theCorpusIsLargeAndWrittenDown() throws IOException {
        Path corpus = Path.of("target", "hostile");
        List<String> index = new ArrayList<>();
        index.add("folder\tkind\tcode\twhat is wrong");
        for (HostileFile hostile : files().toList()) {
            String name = "%03d".formatted(index.size());
            FileTree.delete(corpus.resolve(name));
            hostile.makeIn(Files.createDirectories(corpus.resolve(name)));
            index.add(
                    String.join(
                            "\t",
                            name,
                            hostile.expected().name(),
                            code(hostile).name(),
                            hostile.name().replaceAll("\\p{Cntrl}", "?")));
        }
        Files.write(corpus.resolve("index.tsv"), index);

        assertThat(index).hasSizeGreaterThan(300);
    }

    private static FailureCode code(HostileFile hostile) {
        return hostile.expected() == CorruptionKind.UNSAFE_FORMAT
                ? FailureCode.UNSAFE_FORMAT
                : FailureCode.CORRUPT_CHECKPOINT;
    }

    private static long bytesBelow(Path folder) throws IOException {
        try (Stream<Path> paths = Files.walk(folder)) {
            return paths.filter(Files::isRegularFile)
                    .mapToLong(path -> path.toFile().length())
                    .sum();
        }
    }

    private static long allocatedBytes() {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        return threads.getCurrentThreadAllocatedBytes();
    }
}
