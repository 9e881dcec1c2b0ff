package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EntropyTest {
    private static final int CLASSES = 5;

    private final Random random = new Random(11);

    private static double value(double[] logits, double[] gradient) {
        double sum = Arrays.stream(logits).map(Math::exp).sum();
        double[] logarithms = Arrays.stream(logits).map(z -> z - Math.log(sum)).toArray();
        return Entropy.OF_THE_MERGED.between(new double[CLASSES], logarithms, CLASSES, gradient);
    }

    private double[] logits() {
        return random.doubles(CLASSES, -3, 3).toArray();
    }

    @Test
    void theGradientIsThatOfTheValue() {
        for (int trial = 0; trial < 50; trial++) {
            double[] logits = logits();
            double[] gradient = new double[CLASSES];
            value(logits, gradient);
            for (int c = 0; c < CLASSES; c++) {
                double h = 1e-5;
                double[] more = logits.clone();
                double[] less = logits.clone();
                more[c] += h;
                less[c] -= h;
                double slope =
                        (value(more, new double[CLASSES]) - value(less, new double[CLASSES]))
                                / (2 * h);
                assertThat(gradient[c]).isCloseTo(slope, within(1e-9));
            }
        }
    }

    @Test
    void itIsTheLogarithmOfTheLabelsWhereAllAreAsLikelyAndNothingForASureAnswer() {
        assertThat(value(new double[CLASSES], new double[CLASSES]))
                .isCloseTo(Math.log(CLASSES), within(1e-12));
        double[] sure = new double[CLASSES];
        sure[2] = 800;
        double[] gradient = new double[CLASSES];
        double largest = sure[2];
        double[] logarithms = Arrays.stream(sure).map(z -> z - largest).toArray();
        assertThat(Entropy.OF_THE_MERGED.between(sure, logarithms, CLASSES, gradient))
                .isCloseTo(0, within(1e-300));
        assertThat(gradient).containsExactly(new double[CLASSES], within(1e-300));
    }
}
