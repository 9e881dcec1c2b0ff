package dev.tributary.eval.verdict;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DetectableDropTest {

    /// Computed once with SciPy 1.17.1 by summing over every number of changed items.
    @ParameterizedTest
    @CsvSource({
        "25, 0.02, 0.05, 0, 0.2488, 0.158936738626",
        "25, 0.05, 0.05, 0, 0.2963, 0.086819438298",
        "25, 0.02, 0.004545454545454546, 0, 0.4056, 0.006385579547",
        "25, 0.05, 0.004545454545454546, 0, 0.4705, 0.003476634566",
        "100, 0.02, 0.05, 0, 0.0840, 0.772262110199",
        "100, 0.05, 0.05, 0, 0.1104, 0.355898366487",
        "200, 0.05, 0.004545454545454546, 0, 0.1087, 0.208576123724",
        "317, 0.03, 0.0016666666666666668, 0.02, 0.0759, 0.727733187544",
        "500, 0.02, 0.000625, 0.02, 0.0541, 0.988406633924",
    })
    void agreesWithSciPy(
            int items,
            double gainsRate,
            double significance,
            double tolerated,
            double smallest,
            double powerAtTenPercentLost) {
        DetectableDrop detectable = new DetectableDrop(significance, tolerated, 0.8);

        assertThat(detectable.of(items, gainsRate)).isCloseTo(smallest, within(1e-3));
        assertThat(detectable.power(items, 0.1, gainsRate))
                .isCloseTo(powerAtTenPercentLost, within(1e-6));
    }

    @Test
    void theDropItNamesIsFoundEightTimesInTen() {
        SplittableRandom random = new SplittableRandom(7);
        int items = 200;
        double gains = 0.03;
        double drop = new DetectableDrop(0.005, 0.02, 0.8).of(items, gains);
        int found = 0;
        int rounds = 4_000;
        for (int round = 0; round < rounds; round++) {
            int lost = 0;
            int gained = 0;
            for (int i = 0; i < items; i++) {
                double draw = random.nextDouble();
                lost += draw < gains + drop ? 1 : 0;
                gained += draw >= 1 - gains ? 1 : 0;
            }
            PairedOutcome outcome = new PairedOutcome(items, lost, gained);
            found += outcome.pValue() <= 0.005 && outcome.drop() > 0.02 ? 1 : 0;
        }

        // 4,000 rounds have a standard error of 0.006.
        assertThat((double) found / rounds).isBetween(0.78, 0.83);
    }

    @Test
    void fewItemsCanShowNothing() {
        assertThat(new DetectableDrop(0.005, 0.02, 0.8).of(4, 0.1)).isEqualTo(1);
        assertThat(new DetectableDrop(0.005, 0.02, 0.8).of(0, 0.5)).isEqualTo(1);
    }

    @Test
    void aToleratedDropCannotBeDetected() {
        double strict = new DetectableDrop(0.005, 0, 0.8).of(20_000, 0.02);
        double tolerant = new DetectableDrop(0.005, 0.05, 0.8).of(20_000, 0.02);

        assertThat(strict).isLessThan(0.01);
        assertThat(tolerant).isBetween(0.05, 0.06);
    }

    @Test
    void refusesWhatIsNoFraction() {
        assertThatThrownBy(() -> new DetectableDrop(0, 0, 0.8))
                .hasMessageContaining("significance");
        assertThatThrownBy(() -> new DetectableDrop(0.05, 1, 0.8))
                .hasMessageContaining("fractions");
        assertThatThrownBy(() -> new DetectableDrop(0.05, 0, Double.NaN))
                .hasMessageContaining("NaN");
    }
}
