package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FaultPointTest {
    @TempDir Path folder;

    /// Reaches two points three times each, and says so.
    static final class Steps {
        private Steps() {}

        public static void main(String[] args) {
            for (int i = 1; i <= 3; i++) {
                FaultPoint.MERGE_BEGUN.reached();
                System.out.println("begun " + i);
                FaultPoint.ANSWER_SENT.reached();
                System.out.println("sent " + i);
            }
        }
    }

    private record Run(int code, String output) {}

    private Run run(String... options) throws IOException, InterruptedException {
        List<String> command =
                new ArrayList<>(
                        List.of(
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString()));
        command.addAll(Arrays.asList(options));
        command.addAll(
                List.of(
                        FaultPoint.logOption(folder.resolve("faults")),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Steps.class.getName()));
        Path output = folder.resolve("output");
        Process process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(output.toFile())
                        .start();
        return new Run(process.waitFor(), Files.readString(output));
    }

    @Test
    void nothingHappensUnlessItIsAskedFor() throws Exception {
        Run run = run();

        assertThat(run.code()).isZero();
        assertThat(run.output()).endsWith("sent 3\n");
        assertThat(folder.resolve("faults")).doesNotExist();
    }

    @Test
    void theProcessEndsAtThePointAndWritesItDownFirst() throws Exception {
        Run run = run(FaultPoint.ANSWER_SENT.option(FaultPoint.Kind.HALT, 2));

        assertThat(run.code()).isEqualTo(137);
        assertThat(run.output()).endsWith("begun 2\n");
        assertThat(folder.resolve("faults")).hasContent("ANSWER_SENT:HALT");
    }

    @Test
    void aFullDiskLooksLikeOne() throws Exception {
        Run run = run(FaultPoint.MERGE_BEGUN.option(FaultPoint.Kind.NO_SPACE, 1));

        assertThat(run.code()).isEqualTo(1);
        assertThat(run.output()).contains("UncheckedIOException", "No space left on device");
    }
}
