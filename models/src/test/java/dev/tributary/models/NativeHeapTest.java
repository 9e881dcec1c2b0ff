package dev.tributary.models;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Scanner;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(OS.LINUX)
class NativeHeapTest {
    private static final int ELEMENTS = 4 << 20;
    private static final int PAGES_OF_AN_ARRAY = ELEMENTS * Float.BYTES / 4096;
    private static final int ARRAYS = 50;

    /// Pages the kernel has had to provide to this process so far.
    private static long faults() throws IOException {
        String stat = Files.readString(Path.of("/proc/self/stat"));
        return new Scanner(stat.substring(stat.lastIndexOf(')') + 1))
                .tokens()
                .skip(7)
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElseThrow();
    }

    /// Bytes of memory this process has.
    private static long resident() throws IOException {
        try (Scanner sizes = new Scanner(Path.of("/proc/self/statm"), US_ASCII)) {
            sizes.nextLong();
            return 4096 * sizes.nextLong();
        }
    }

    private static void fill() {
        try (PtNDManager manager = TorchEngine.newManager()) {
            manager.ones(new Shape(ELEMENTS)).close();
        }
    }

    @Test
    void memoryThatWasFreedIsUsedAgainWithoutTheKernel() throws IOException {
        fill();
        long before = faults();
        for (int i = 0; i < ARRAYS; i++) {
            fill();
        }
        assertThat(faults() - before).isLessThan((long) ARRAYS * PAGES_OF_AN_ARRAY / 4);
    }

    @Test
    void whatIsFreeGoesBackWhenAskedFor() throws IOException {
        fill();
        long before = resident();
        NativeHeap.giveBack();
        assertThat(before - resident()).isGreaterThan((long) ELEMENTS * Float.BYTES / 2);
    }
}
