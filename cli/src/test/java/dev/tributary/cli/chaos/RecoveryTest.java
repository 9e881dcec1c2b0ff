package dev.tributary.cli.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class RecoveryTest {
    @Test
    void aQuantileIsATimeThatWasMeasured() {
        Recovery recovery = new Recovery();
        assertThat(recovery.quantile(0.99)).isZero();

        IntStream.rangeClosed(1, 200).map(i -> 201 - i).forEach(recovery::add);

        assertThat(recovery.rounds()).isEqualTo(200);
        assertThat(recovery.quantile(0.5)).isEqualTo(100);
        assertThat(recovery.quantile(0.99)).isEqualTo(198);
        assertThat(recovery.quantile(1)).isEqualTo(200);
    }
}
