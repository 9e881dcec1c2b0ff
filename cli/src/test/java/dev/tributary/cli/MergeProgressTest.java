package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class MergeProgressTest {
    private static final long GIB = 1L << 30;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private long nanos;

    private MergeProgress progress(boolean interactive) {
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        return new MergeProgress(new Terminal(out, interactive), () -> nanos);
    }

    private String shown() {
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static void tenthsOf(int tenths, Runnable each) {
        for (int i = 0; i < tenths; i++) {
            each.run();
        }
    }

    @Test
    void aPipeGetsALineEveryTenSecondsAtMost() {
        MergeProgress progress = progress(false);
        progress.update("merging", 0, 4 * GIB);
        for (int second = 1; second <= 40; second++) {
            nanos += 1_000_000_000L;
            progress.update("merging", second * GIB / 10, 4 * GIB);
        }
        List<String> lines = shown().lines().toList();
        assertThat(lines)
                .containsExactly(
                        "merging 25 %, ETA 30.0 s, 1.00 GiB of 4.00 GiB, 102.4 MiB/s",
                        "merging 50 %, ETA 20.0 s, 2.00 GiB of 4.00 GiB, 102.4 MiB/s",
                        "merging 75 %, ETA 10.0 s, 3.00 GiB of 4.00 GiB, 102.4 MiB/s");
    }

    @Test
    void aShortMergeSaysNothingIntoAPipe() {
        MergeProgress progress = progress(false);
        tenthsOf(10, () -> progress.update("merging", 1, 10));
        assertThat(shown()).isEmpty();
    }

    @Test
    void otherStagesAreNotToldInBytes() {
        MergeProgress progress = progress(false);
        progress.update("optimising", 0, 100);
        nanos += 11_000_000_000L;
        progress.update("optimising", 50, 100);
        assertThat(shown().strip()).isEqualTo("optimising 50 %, ETA 11.0 s");
    }

    @Test
    void aTerminalHasOneBarWithBytesAndSpeedThatGoesWhenItIsFull() {
        MergeProgress progress = progress(true);
        progress.update("merging", 0, 2 * GIB);
        nanos += 2_000_000_000L;
        progress.update("merging", GIB, 2 * GIB);
        progress.update("merging", 2 * GIB, 2 * GIB);
        assertThat(shown())
                .contains("merging", "░", "0.0 KiB of 2.00 GiB")
                .endsWith("\u001b[1A\u001b[J");
        Stream<String> bars = shown().lines().filter(line -> line.contains("merging"));
        assertThat(bars).allMatch(line -> line.contains(" of 2.00 GiB, "));
    }

    @Test
    void thePeakOfMemoryIsReadOffTheSystemsFile() {
        assertThat(PeakMemory.of(Stream.of("Name:\tjava", "VmHWM:\t  2048 kB", "VmRSS:\t 7 kB")))
                .hasValue(2L << 20);
        assertThat(PeakMemory.of(Stream.of("Name:\tjava"))).isEmpty();
    }

    @Test
    void whatFollowsACommaMayChangeWhileAStageLasts() {
        MergeProgress progress = progress(false);
        for (int step = 0; step <= 20; step++) {
            progress.update("optimising, loss 0.%d".formatted(step), step, 40);
            nanos += 1_000_000_000L;
        }
        assertThat(shown().lines())
                .containsExactly(
                        "optimising 25 %, ETA 30.0 s, loss 0.10",
                        "optimising 50 %, ETA 20.0 s, loss 0.20");
    }
}
