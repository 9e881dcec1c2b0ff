package dev.tributary.cli.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// A short campaign, as a person starts it.
class ChaosIT {
    @Test
    void nothingIsLostWhateverHappensToProcesses(@TempDir Path folder) throws IOException {
        Path summary = folder.resolve("summary.json");

        int code =
                new CommandLine(new ChaosCommand())
                        .execute(
                                "--kills",
                                "8",
                                "--seed",
                                "1",
                                "--merge-workers",
                                "2",
                                "--data",
                                folder.toString(),
                                "--summary",
                                summary.toString());

        JsonNode json = new ObjectMapper().readTree(summary.toFile());
        assertThat(json.path("findings").toString())
                .isEqualTo(
                        "{\"lost\":[],\"doubled\":[],\"torn\":[],\"stale\":[],\"reordered\":[],\"different\":[]}");
        assertThat(code).isZero();
        assertThat(json.path("kills").asInt()).isGreaterThanOrEqualTo(8);
        assertThat(json.path("generations").asInt()).isPositive();
        assertThat(json.path("verdicts").asInt()).isEqualTo(json.path("generations").asInt());
        assertThat(json.path("replayed").asInt()).isPositive();
        assertThat(json.path("recovery_p99_s").asDouble()).isPositive();
    }
}
