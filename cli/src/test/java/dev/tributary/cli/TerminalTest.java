package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class TerminalTest {
    @Test
    void tableColumnsAreAligned() {
        assertThat(
                        Terminal.aligned(
                                List.of("task", "score"),
                                List.of(List.of("spam", "0.9"), List.of("sentiment", "0.951"))))
                .containsExactly("  task       score", "  spam         0.9", "  sentiment  0.951");
    }

    @Test
    void durationsReadAsAPersonSaysThem() {
        assertThat(Terminal.duration(Duration.ofMillis(850))).isEqualTo("850 ms");
        assertThat(Terminal.duration(Duration.ofMillis(12_340))).isEqualTo("12.3 s");
        assertThat(Terminal.duration(Duration.ofSeconds(245))).isEqualTo("4 min 05 s");
    }

    @Test
    void aPipeGetsALineForEachTenthOfTheWork() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal =
                new Terminal(new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
        for (int done = 0; done <= 100; done++) {
            terminal.progress("merging", "", done, 100);
        }
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(11);
        assertThat(lines.getLast()).contains("merging  done in");
    }

    @Test
    void theNextStageOfTheWorkIsToldFromItsBeginning() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal =
                new Terminal(new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
        terminal.progress("merging", "asking", 9, 10);
        terminal.progress("merging", "optimising", 10, 100);
        assertThat(bytes.toString(StandardCharsets.UTF_8).lines())
                .hasSize(2)
                .last()
                .asString()
                .contains("10 %", "optimising");
    }

    @Test
    void whatWasDoneBeforeSaysNothingOfHowLongTheRestTakes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Terminal terminal =
                new Terminal(new PrintStream(bytes, true, StandardCharsets.UTF_8), false);
        terminal.progress("comparing", "found", 50, 100, 50);
        terminal.progress("comparing", "merged", 60, 100, 50);
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertThat(lines).hasSize(2);
        assertThat(lines.getFirst()).contains("50 %", "ETA …");
        assertThat(lines.getLast()).contains("60 %").doesNotContain("ETA …");
    }
}
