package dev.tributary.eval.scoring;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CrashLedgerTest {

    @TempDir Path folder;

    @Test
    void beginningsWithoutAnEndAreCounted() {
        assertThat(new CrashLedger(folder).begin("a")).isZero();
        assertThat(new CrashLedger(folder).begin("a")).isEqualTo(1);
        assertThat(new CrashLedger(folder).begin("a")).isEqualTo(2);
        assertThat(new CrashLedger(folder).begin("b")).isZero();
    }

    @Test
    void workThatHasEndedStartsAnew() {
        CrashLedger ledger = new CrashLedger(folder);
        ledger.begin("a");
        ledger.end("a");

        assertThat(ledger.begin("a")).isZero();
    }

    @Test
    void aFolderThatCannotBeWrittenToMeansNoCounting() throws IOException {
        CrashLedger ledger = new CrashLedger(Files.createFile(folder.resolve("a-file")));

        assertThat(ledger.begin("a")).isZero();
        ledger.end("a");
        assertThat(ledger.begin("a")).isZero();
    }
}
