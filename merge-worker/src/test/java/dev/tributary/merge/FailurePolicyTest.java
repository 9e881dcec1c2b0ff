package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merge.FailurePolicy.Halt;
import dev.tributary.merge.FailurePolicy.Retry;
import dev.tributary.merge.FailurePolicy.SetAside;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.time.Duration;
import java.util.List;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

class FailurePolicyTest {
    private final FailurePolicy policy =
            new FailurePolicy(3, Duration.ofSeconds(1), Duration.ofMinutes(5));

    @Test
    void aRefusalIsSetAsideAtOnceWithAllItsFaults() {
        List<Fault> faults =
                List.of(
                        new Fault(FailureCode.SHAPE_MISMATCH, "w", "has another shape"),
                        new Fault(FailureCode.NON_FINITE, "v", "holds a NaN"));

        assertThat(dispose(new RefusedException(faults), 1)).isEqualTo(new SetAside(faults));
    }

    @Test
    void aFullDiskIsTriedAgainForAsLongAsItTakes() {
        FileSystemException full = new FileSystemException("file", null, "No space left on device");
        RefusedException refused =
                new RefusedException(new Fault(FailureCode.NO_SPACE, "store", "is full"));

        assertThat(dispose(new UncheckedIOException(full), 100)).isInstanceOf(Retry.class);
        assertThat(dispose(refused, 100)).isInstanceOf(Retry.class);
    }

    @Test
    void anAbsentBrokerIsTriedAgainForAsLongAsItTakes() {
        assertThat(dispose(new IllegalStateException(new TimeoutException("broker")), 100))
                .isInstanceOf(Retry.class);
    }

    @Test
    void anUnknownFailureIsTriedThreeTimes() {
        IllegalStateException unknown = new IllegalStateException("odd");

        assertThat(dispose(unknown, 1)).isInstanceOf(Retry.class);
        assertThat(dispose(unknown, 2)).isInstanceOf(Retry.class);
        assertThat(dispose(unknown, 3))
                .isInstanceOfSatisfying(
                        SetAside.class,
                        aside ->
                                assertThat(aside.faults())
                                        .extracting(Fault::code)
                                        .containsExactly(FailureCode.MERGE_FAILED));
    }

    @Test
    void anIoErrorThatIsNotAboutSpaceIsUnknown() {
        assertThat(dispose(new UncheckedIOException(new IOException("bad sector")), 3))
                .isInstanceOf(SetAside.class);
    }

    @Test
    void aProcessWithoutMemoryEnds() {
        assertThat(dispose(new OutOfMemoryError("heap"), 1)).isEqualTo(new Halt());
    }

    @Test
    void waitsDoubleUpToTheCapAndAreSpreadOut() {
        assertThat(policy.delay(1, 1)).isEqualTo(Duration.ofSeconds(1));
        assertThat(policy.delay(4, 1)).isEqualTo(Duration.ofSeconds(8));
        assertThat(policy.delay(4, 0.25)).isEqualTo(Duration.ofSeconds(2));
        assertThat(policy.delay(1000, 1)).isEqualTo(Duration.ofMinutes(5));
    }

    private FailurePolicy.Disposition dispose(Throwable failure, int attempt) {
        return policy.dispose("pool", failure, attempt, 1);
    }
}
