package dev.tributary.eval.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class BenjaminiHochbergTest {

    @Test
    void agreesWithSciPysFalseDiscoveryControl() {
        List<Double> adjusted = BenjaminiHochberg.adjust(List.of(.01, .04, .03, .005, .5, .9, .04));

        List<Double> expected = List.of(.035, .056, .056, .035, .5833333333333334, .9, .056);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(adjusted.get(i)).isCloseTo(expected.get(i), within(1e-15));
        }
    }

    /// Benjamini and Hochberg 1995, section 3.2: fifteen p-values of which the procedure rejects
    /// four at q = 0.05.
    @Test
    void rejectsTheFourOfThePublishedExample() {
        List<Double> adjusted =
                BenjaminiHochberg.adjust(
                        List.of(
                                .0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459,
                                .3240, .4262, .5719, .6528, .7590, 1.0));

        assertThat(adjusted.stream().filter(p -> p <= 0.05)).hasSize(4);
    }

    @Test
    void leavesASinglePValueAlone() {
        assertThat(BenjaminiHochberg.adjust(List.of(0.03))).containsExactly(0.03);
        assertThat(BenjaminiHochberg.adjust(List.of())).isEmpty();
    }
}
