package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AttemptLedgerTest {
    @TempDir Path folder;

    @Test
    void beginningsWithoutAnEndAreCountedAcrossProcesses() {
        assertThat(new AttemptLedger(folder).begin("merge a")).isEqualTo(1);
        assertThat(new AttemptLedger(folder).begin("merge a")).isEqualTo(2);
        assertThat(new AttemptLedger(folder).begin("merge b")).isEqualTo(1);
        assertThat(new AttemptLedger(folder).begin("merge a")).isEqualTo(3);
        assertThat(new AttemptLedger(folder).unended())
                .containsExactlyInAnyOrder("merge a", "merge b");
    }

    @Test
    void anEndForgetsTheCount() {
        AttemptLedger ledger = new AttemptLedger(folder.resolve("not there yet"));
        ledger.begin("merge a");

        ledger.end("merge a");

        assertThat(ledger.begin("merge a")).isEqualTo(1);
        ledger.end("merge a");
        assertThat(ledger.unended()).isEmpty();
    }
}
