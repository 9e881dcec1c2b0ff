package dev.tributary.eval.scoring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.eval.scoring.FailurePolicy.GiveUp;
import dev.tributary.eval.scoring.FailurePolicy.Halt;
import dev.tributary.eval.scoring.FailurePolicy.Retry;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FailurePolicyTest {

    private static final FailurePolicy POLICY =
            new FailurePolicy(3, Duration.ofSeconds(1), Duration.ofSeconds(10));

    @ParameterizedTest
    @EnumSource(
            value = FailureCode.class,
            mode = EnumSource.Mode.EXCLUDE,
            names = {"ARTIFACT_MISSING", "NO_SPACE"})
    void aRefusalIsNotTriedAgain(FailureCode code) {
        Fault fault = new Fault(code, "spam", "cannot be used");

        assertThat(POLICY.dispose("here", new RefusedException(fault), 1, 1))
                .isEqualTo(new GiveUp(fault));
    }

    @ParameterizedTest
    @EnumSource(names = {"ARTIFACT_MISSING", "NO_SPACE"})
    void aRefusalThatMayPassIsTriedAgainUntilTheLastAttempt(FailureCode code) {
        Fault fault = new Fault(code, "spam", "not there");
        RefusedException refused = new RefusedException(fault);

        assertThat(POLICY.dispose("here", refused, 1, 1))
                .isEqualTo(new Retry(Duration.ofSeconds(1)));
        assertThat(POLICY.dispose("here", refused, 2, 1))
                .isEqualTo(new Retry(Duration.ofSeconds(2)));
        assertThat(POLICY.dispose("here", refused, 3, 1)).isEqualTo(new GiveUp(fault));
    }

    @Test
    void anUnknownFailureIsTriedAgainUntilTheLastAttempt() {
        RuntimeException unknown = new IllegalStateException("odd");

        assertThat(POLICY.dispose("here", unknown, 2, 1)).isInstanceOf(Retry.class);
        GiveUp last = (GiveUp) POLICY.dispose("here", unknown, 3, 1);
        assertThat(last.fault().code()).isEqualTo(FailureCode.EVALUATION_FAILED);
        assertThat(last.fault().toString()).contains("[here]").contains("3 times").contains("odd");
    }

    @Test
    void memoryThatRunsOutEndsTheProcess() {
        assertThat(POLICY.dispose("here", new OutOfMemoryError(), 1, 1)).isEqualTo(new Halt());
    }

    @Test
    void allFaultsAreTold() {
        RefusedException refused =
                new RefusedException(
                        List.of(
                                new Fault(FailureCode.LABELS_MISMATCH, "a", "one"),
                                new Fault(FailureCode.BAD_TASK, "b", "two")));

        GiveUp given = (GiveUp) POLICY.dispose("here", refused, 1, 1);

        assertThat(given.fault().code()).isEqualTo(FailureCode.LABELS_MISMATCH);
        assertThat(given.fault().sentence()).contains("2 faults").contains("one").contains("two");
    }

    @Test
    void waitsDoubleUpToTheLongestAndSpreadOut() {
        assertThat(POLICY.delay(3, 1)).isEqualTo(Duration.ofSeconds(4));
        assertThat(POLICY.delay(3, 0.5)).isEqualTo(Duration.ofSeconds(2));
        assertThat(POLICY.delay(99, 1)).isEqualTo(Duration.ofSeconds(10));
        assertThat(POLICY.delay(1, 0)).isEqualTo(Duration.ofMillis(1));
    }
}
