package dev.tributary.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// A small comparison with the pretrained encoder and experts that have hardly learnt.
class CompareIT {
    private static final Path TASKS = Path.of("..", "examples", "tasks");

    @TempDir Path folder;

    @Test
    void aComparisonIsReportedAndASecondRunMergesNothingAnew() throws IOException {
        assertThat(compare()).isZero();
        String report = Files.readString(folder.resolve("report/report.md"));
        assertThat(report)
                .contains("| method | 2 tasks |")
                .contains("| TIES |")
                .contains("| TIES, tuned |")
                .contains("| DARE |")
                .contains("| expert's own score |")
                .doesNotContain("| - |");
        List<Path> cells = cells();
        // DARE once a seed; TIES with four scales on validation, then with the best and with its
        // default on test, which may be the same merge
        assertThat(cells).hasSizeBetween(2 + 4 + 1, 2 + 4 + 2);
        List<Long> written = cells.stream().map(file -> file.toFile().lastModified()).toList();

        assertThat(compare()).isZero();
        assertThat(cells().stream().map(file -> file.toFile().lastModified()).toList())
                .isEqualTo(written);
        assertThat(folder.resolve("merge.partial")).doesNotExist();
    }

    private int compare() {
        return new CommandLine(new CompareCommand())
                .execute(
                        "--out",
                        folder.toString(),
                        "--task",
                        TASKS.resolve("sentiment_uci").toString(),
                        "--task",
                        TASKS.resolve("acceptability").toString(),
                        "--method",
                        "TIES",
                        "--method",
                        "ties, tuned",
                        "--method",
                        "dare",
                        "--epochs",
                        "1",
                        "--max-examples",
                        "64",
                        "--test-items",
                        "16",
                        "--validation-items",
                        "8",
                        "--calibration-items",
                        "8");
    }

    private List<Path> cells() throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cells"))) {
            return files.sorted().toList();
        }
    }
}
