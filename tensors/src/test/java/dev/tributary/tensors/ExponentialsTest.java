package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExponentialsTest {
    private static final int COUNT = 100_003;

    private final Random random = new Random(5);

    @ParameterizedTest
    @ValueSource(doubles = {1e-9, 0.3, 5, 100, 700})
    void exponentialsAreWithinTwoUnitsInTheLastPlace(double range) {
        double[] source = random.doubles(COUNT, -range, range).toArray();
        double[] target = new double[COUNT];

        Exponentials.exp(source, 0, target, COUNT);

        for (int i = 0; i < COUNT; i++) {
            double wanted = StrictMath.exp(source[i]);
            assertThat(Math.abs(target[i] - wanted)).isLessThanOrEqualTo(2 * Math.ulp(wanted));
        }
    }

    @Test
    void logarithmsAreWithinTwoUnitsInTheLastPlace() {
        double[] source = new double[COUNT];
        for (int i = 0; i < COUNT; i++) {
            double near = 1 + 1e-3 * random.nextGaussian();
            source[i] = i % 2 == 0 ? near : Math.exp(700 * (random.nextDouble() - 1));
        }
        double[] target = new double[COUNT];

        Exponentials.log(source, 0, target, COUNT);

        for (int i = 0; i < COUNT; i++) {
            double wanted = StrictMath.log(source[i]);
            assertThat(Math.abs(target[i] - wanted)).isLessThanOrEqualTo(2 * Math.ulp(wanted));
        }
    }

    @Test
    void aVectorsLaneAndALoneNumberComeToTheSameBits() {
        double[] source = random.doubles(64, -30, 0).toArray();
        double[] positive = random.doubles(64, 0, 1).toArray();
        double[] together = new double[64];
        double[] alone = new double[1];
        Exponentials.exp(source, 0, together, 64);
        for (int i = 0; i < 64; i++) {
            Exponentials.exp(source, i, alone, 1);
            assertThat(alone[0]).isEqualTo(together[i]);
        }
        Exponentials.log(positive, 0, together, 64);
        for (int i = 0; i < 64; i++) {
            Exponentials.log(positive, i, alone, 1);
            assertThat(alone[0]).isEqualTo(together[i]);
        }
    }

    @Test
    void whatCannotBeToldFromNothingStaysANumber() {
        double[] all = new double[3];
        Exponentials.exp(new double[] {-1e9, Double.NEGATIVE_INFINITY, Double.NaN}, 0, all, 3);
        assertThat(all[0]).isBetween(0.0, 4e-308);
        assertThat(all[1]).isBetween(0.0, 4e-308);
        assertThat(all[2]).isNaN();
        Exponentials.log(new double[] {0, Double.MIN_VALUE, 1}, 0, all, 3);
        assertThat(all).containsExactly(all[0], all[0], 0);
        assertThat(all[0]).isBetween(-708.5, -708.0);
    }
}
