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
        Pace pace = Pace.of(settings(12), List.of("a", "b"), null);

        assertThat(pace).isEqualTo(Pace.whole(settings(12)));
        assertThat(pace).isEqualTo(new Pace(40, 10, 1));
    }

    @Test
    void whereOneJoinsItTakesFewerAndSmallerSteps() {
        assertThat(Pace.of(settings(12), List.of("a", "b", "c"), learnt("a", "c")))
                .isEqualTo(new Pace(12, 12, Pace.WARM));
    }

    @Test
    void whereAllAreKnownHalfTheStepsDo() {
        assertThat(Pace.of(settings(13), List.of("a", "b"), learnt("a", "b", "c")))
                .isEqualTo(new Pace(7, 7, Pace.WARM));
    }

    @Test
    void whereMostIsNewItGoesTheWholeWay() {
        assertThat(Pace.of(settings(12), List.of("a", "b", "c"), learnt("a", "d", "e")))
                .isEqualTo(Pace.whole(settings(12)));
    }

    @Test
    void withoutStepsOfItsOwnItGoesTheWholeWay() {
        assertThat(Pace.of(settings(0), List.of("a", "b"), learnt("a", "b")))
                .isEqualTo(Pace.whole(settings(0)));
    }

    @Test
    void neverFurtherThanTheWholeWay() {
        assertThat(Pace.of(settings(100), List.of("a", "b"), learnt("a")).steps()).isEqualTo(40);
    }

    private static DescentSettings settings(int warmSteps) {
        return new DescentSettings(
                Granularity.LAYER, 0.1, Decay.COSINE, 4, 40, warmSteps, 64, 10, 3, 0.01, 1, 1);
    }

    private static Coefficients learnt(String... tasks) {
        return Coefficients.uniform(Granularity.LAYER, List.of(tasks), GROUPS, 0.5);
    }
}
