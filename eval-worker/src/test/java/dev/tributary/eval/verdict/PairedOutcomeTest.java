package dev.tributary.eval.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PairedOutcomeTest {

    /// binom.sf(lost, n, 0.5) + 0.5 * binom.pmf(lost, n, 0.5) of SciPy 1.17.1, n = lost + gained.
    @ParameterizedTest
    @CsvSource({
        "0, 0, 0.5",
        "1, 0, 0.25",
        "5, 0, 0.015625",
        "8, 2, 0.03271484375000002",
        "12, 5, 0.04812622070312503",
        "30, 12, 0.0027007863272956465",
        "3, 9, 0.953857421875",
        "31, 4, 9.707873687148111e-07",
        "150, 100, 0.0007740943000597844",
        "1000, 900, 0.010895749626856669",
        "6000, 5800, 0.03280328478442533",
        "60, 0, 4.336808689942018e-19",
        "25, 25, 0.5",
    })
    void thePValueAgreesWithSciPy(int lost, int gained, double expected) {
        double pValue = new PairedOutcome(20_000, lost, gained).pValue();

        assertThat(pValue).isCloseTo(expected, within(1e-10 * expected));
    }

    /// Fagerland, Lydersen and Laake 2013, table 1: 7 patients changed one way and 1 the other.
    /// They give a two-sided mid-p of 0.0391.
    @Test
    void thePValueIsHalfThePublishedTwoSidedOne() {
        assertThat(2 * new PairedOutcome(21, 7, 1).pValue()).isCloseTo(0.0391, within(5e-5));
    }

    @Test
    void thePValueAgreesWithEnumeratingEveryWayTheAnswersCouldHaveChanged() {
        for (int changed = 0; changed <= 16; changed++) {
            for (int lost = 0; lost <= changed; lost++) {
                double worse = 0;
                double equal = 0;
                for (int way = 0; way < 1 << changed; way++) {
                    worse += Integer.bitCount(way) > lost ? 1 : 0;
                    equal += Integer.bitCount(way) == lost ? 1 : 0;
                }
                double expected = (worse + equal / 2) / (1 << changed);
                assertThat(new PairedOutcome(changed, lost, changed - lost).pValue())
                        .isCloseTo(expected, within(1e-15));
            }
        }
    }

    @Test
    void theDropIsWhatWasLostMoreThanGained() {
        assertThat(new PairedOutcome(200, 15, 5).drop()).isEqualTo(0.05);
        assertThat(new PairedOutcome(200, 5, 15).drop()).isEqualTo(-0.05);
        assertThat(PairedOutcome.NONE.drop()).isZero();
    }

    @Test
    void outcomesAddUp() {
        assertThat(new PairedOutcome(10, 1, 2).plus(new PairedOutcome(20, 3, 4)))
                .isEqualTo(new PairedOutcome(30, 4, 6));
    }

    @Test
    void gainsAreNeverThoughtImpossible() {
        assertThat(new PairedOutcome(24, 3, 0).gainsRate()).isEqualTo(0.02);
    }

    @Test
    void refusesMoreChangesThanItems() {
        assertThatThrownBy(() -> new PairedOutcome(3, 2, 2)).hasMessageContaining("of 3 items");
        assertThatThrownBy(() -> new PairedOutcome(3, -1, 2)).hasMessageContaining("-1 lost");
    }
}
