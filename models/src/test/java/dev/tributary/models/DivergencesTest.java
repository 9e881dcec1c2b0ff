package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class DivergencesTest {
    @Test
    void equalDistributionsDoNotDiverge() {
        float[] p = logarithms(0.2, 0.3, 0.5);

        assertThat(Divergences.jensenShannon(p, p, 0, 3)).isZero();
    }

    @Test
    void distributionsThatShareNothingDivergeByLogTwo() {
        float[] p = logarithms(1, 0);
        float[] q = logarithms(0, 1);

        assertThat(Divergences.jensenShannon(p, q, 0, 2)).isCloseTo(Math.log(2), within(1e-12));
    }

    @Test
    void aDivergenceWorkedOutByHand() {
        float[] p = logarithms(0.5, 0.5);
        float[] q = logarithms(0.9, 0.1);
        double expected =
                0.5 * (0.5 * Math.log(0.5 / 0.7) + 0.5 * Math.log(0.5 / 0.3))
                        + 0.5 * (0.9 * Math.log(0.9 / 0.7) + 0.1 * Math.log(0.1 / 0.3));

        assertThat(Divergences.jensenShannon(p, q, 0, 2)).isCloseTo(expected, within(1e-7));
        assertThat(Divergences.jensenShannon(q, p, 0, 2)).isCloseTo(expected, within(1e-7));
    }

    @Test
    void theMeanIsTakenOverRows() {
        float[] p = logarithms(1, 0, 0.5, 0.5);
        float[] q = logarithms(0, 1, 0.5, 0.5);

        assertThat(Divergences.meanJensenShannon(p, q, 2))
                .isCloseTo(Math.log(2) / 2, within(1e-12));
    }

    @Test
    void rowsOfDifferentLengthsAreAnError() {
        assertThatThrownBy(() -> Divergences.meanJensenShannon(new float[4], new float[6], 2))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static float[] logarithms(double... probabilities) {
        float[] logarithms = new float[probabilities.length];
        for (int i = 0; i < logarithms.length; i++) {
            logarithms[i] = (float) Math.log(probabilities[i]);
        }
        return logarithms;
    }
}
