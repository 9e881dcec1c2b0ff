package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.Decay;
import dev.tributary.merging.method.DescentSettings;
import dev.tributary.merging.method.Granularity;
import java.util.List;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static final List<String> GROUPS = List.of("embeddings", "layer.0");

    @Test
    void aPoolThatIsNewGoesTheWholeWay() {
        Pace pace = Pace.of(settings(12), start("a", "b"), null);

        assertThat(pace).isEqualTo(Pace.whole(settings(12)));
        assertThat(pace.steps()).isEqualTo(40);
        assertThat(pace.evaluateEvery()).isEqualTo(10);
        assertThat(pace.rate(3)).isEqualTo(1);
    }

    @Test
    void whereOneJoinsItMovesMoreThanTheOthers() {
        Pace pace = Pace.of(settings(12), start("a", "b", "c"), start("a", "c"));

        assertThat(pace.steps()).isEqualTo(12);
        assertThat(pace.evaluateEvery()).isEqualTo(12);
        assertThat(pace.rates())
                .containsExactly(Pace.SETTLED, Pace.SETTLED, 1.0, 1.0, Pace.SETTLED, Pace.SETTLED);
    }

    @Test
    void whereAllAreKnownHalfTheStepsDo() {
        Pace pace = Pace.of(settings(13), start("a", "b"), start("a", "b", "c"));

        assertThat(pace.steps()).isEqualTo(7);
        assertThat(pace.rates()).containsOnly(Pace.SETTLED);
    }

    @Test
    void whereMostIsNewItGoesTheWholeWay() {
        assertThat(Pace.of(settings(12), start("a", "b", "c"), start("a", "d", "e")))
                .isEqualTo(Pace.whole(settings(12)));
    }

    @Test
    void withoutStepsOfItsOwnItGoesTheWholeWay() {
        assertThat(Pace.of(settings(0), start("a", "b"), start("a", "b")))
                .isEqualTo(Pace.whole(settings(0)));
    }

    @Test
    void neverFurtherThanTheWholeWay() {
        assertThat(Pace.of(settings(100), start("a", "b"), start("a")).steps()).isEqualTo(40);
    }

    private static DescentSettings settings(int warmSteps) {
        return new DescentSettings(
                Granularity.LAYER, 0.1, Decay.COSINE, 4, 40, warmSteps, 64, 10, 3, 0.01, 1, 1);
    }

    private static Coefficients start(String... tasks) {
        return Coefficients.uniform(Granularity.LAYER, List.of(tasks), GROUPS, 0.5);
    }
}
