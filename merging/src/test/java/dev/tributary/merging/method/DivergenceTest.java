package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DivergenceTest {
    private static final int CLASSES = 5;

    private final Random random = new Random(7);

    /// By central differences with two widths, which leave an error of the fourth order.
    @ParameterizedTest
    @EnumSource(Divergence.class)
    void theGradientIsThatOfTheValue(Divergence divergence) {
        for (int trial = 0; trial < 50; trial++) {
            double[] expert = doubles(logits(3));
            double[] merged = doubles(logits(3));
            double[] gradient = new double[CLASSES];
            exactly(divergence, expert, merged, gradient);
            for (int c = 0; c < CLASSES; c++) {
                double wide = slope(divergence, expert, merged, c, 0x1p-8);
                double narrow = slope(divergence, expert, merged, c, 0x1p-9);
                assertThat(gradient[c]).isCloseTo((4 * narrow - wide) / 3, within(1e-9));
            }
        }
    }

    private static double slope(
            Divergence divergence, double[] expert, double[] merged, int at, double width) {
        double[] unused = new double[CLASSES];
        double[] more = merged.clone();
        double[] less = merged.clone();
        more[at] += width;
        less[at] -= width;
        return (exactly(divergence, expert, more, unused)
                        - exactly(divergence, expert, less, unused))
                / (2 * width);
    }

    private static double exactly(
            Divergence divergence, double[] expert, double[] merged, double[] gradient) {
        return divergence.between(
                logProbabilities(expert), logProbabilities(merged), CLASSES, gradient);
    }

    private static double[] logProbabilities(double[] logits) {
        double sum = Math.log(Arrays.stream(logits).map(Math::exp).sum());
        return Arrays.stream(logits).map(z -> z - sum).toArray();
    }

    private static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        Arrays.setAll(doubles, i -> values[i]);
        return doubles;
    }

    @ParameterizedTest
    @EnumSource(Divergence.class)
    void equalAnswersHaveNoDivergenceAndNoGradient(Divergence divergence) {
        float[] logits = logits(10);
        double[] gradient = new double[CLASSES];
        assertThat(value(divergence, logits, logits, gradient)).isCloseTo(0, within(1e-15));
        assertThat(gradient).containsExactly(new double[CLASSES], within(1e-15));
    }

    @ParameterizedTest
    @EnumSource(Divergence.class)
    void theGradientSumsToZeroBecauseAShiftOfLogitsChangesNothing(Divergence divergence) {
        double[] gradient = new double[CLASSES];
        value(divergence, logits(4), logits(4), gradient);
        double sum = 0;
        for (double slope : gradient) {
            sum += slope;
        }
        assertThat(sum).isCloseTo(0, within(1e-12));
    }

    @ParameterizedTest
    @EnumSource(Divergence.class)
    void certainAndContraryAnswersStayFinite(Divergence divergence) {
        float[] expert = {3e4f, 0, 0, 0, 0};
        float[] merged = {0, 3e4f, 0, 0, 0};
        double[] gradient = new double[CLASSES];
        assertThat(value(divergence, expert, merged, gradient)).isFinite().isPositive();
        for (double slope : gradient) {
            assertThat(slope).isFinite();
        }
    }

    @org.junit.jupiter.api.Test
    void jensenShannonIsSymmetricAndAtMostLogTwo() {
        for (int trial = 0; trial < 200; trial++) {
            float[] a = logits(50);
            float[] b = logits(50);
            double forward = value(Divergence.JS, a, b);
            assertThat(forward).isBetween(0.0, Math.log(2) + 1e-12);
            assertThat(forward).isCloseTo(value(Divergence.JS, b, a), within(1e-12));
        }
    }

    private float[] logits(double scale) {
        float[] logits = new float[CLASSES];
        for (int c = 0; c < CLASSES; c++) {
            logits[c] = (float) (scale * random.nextGaussian());
        }
        return logits;
    }

    private static double value(Divergence divergence, float[] expert, float[] merged) {
        return value(divergence, expert, merged, new double[CLASSES]);
    }

    private static double value(
            Divergence divergence, float[] expert, float[] merged, double[] gradient) {
        double[] p = new double[CLASSES];
        double[] q = new double[CLASSES];
        Divergence.logSoftmax(expert, 0, CLASSES, p);
        Divergence.logSoftmax(merged, 0, CLASSES, q);
        return divergence.between(p, q, CLASSES, gradient);
    }
}
