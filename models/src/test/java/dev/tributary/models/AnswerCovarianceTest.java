package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AnswerCovarianceTest {
    private static float[] logits(Random random, int classes, double spread) {
        float[] logits = new float[classes];
        for (int c = 0; c < classes; c++) {
            logits[c] = (float) (spread * random.nextGaussian());
        }
        return logits;
    }

    private static double[] probabilities(float[] logits) {
        float[] logs = logits.clone();
        LogSoftmax.inPlace(logs, 1, logs.length);
        double[] p = new double[logs.length];
        for (int c = 0; c < p.length; c++) {
            p[c] = Math.exp(logs[c]);
        }
        return p;
    }

    @Test
    void factorsMultiplyToTheCovarianceOfAnswers() {
        Random random = new Random(1);
        for (int trial = 0; trial < 200; trial++) {
            float[] logits = logits(random, 2 + random.nextInt(20), random.nextDouble() * 6);
            double[] p = probabilities(logits);
            List<float[]> factors = AnswerCovariance.factors(logits);
            double variance = 0;
            for (double one : p) {
                variance += one * (1 - one);
            }
            assertThat(factors).hasSizeLessThan(p.length);
            for (int a = 0; a < p.length; a++) {
                for (int b = 0; b < p.length; b++) {
                    double product = 0;
                    for (float[] factor : factors) {
                        product += (double) factor[a] * factor[b];
                    }
                    assertThat(product)
                            .isCloseTo(
                                    (a == b ? p[a] : 0) - p[a] * p[b], within(1.1e-3 * variance));
                }
            }
        }
    }

    @Test
    void whatIsNoNumberIsSentBackAsSuch() {
        assertThat(AnswerCovariance.factors(new float[] {1, Float.NaN}).getFirst())
                .contains(Float.NaN);
    }

    @Test
    void twoClassesHaveOneFactorAndNearlyCertainAnswersFewerThanClasses() {
        assertThat(AnswerCovariance.factors(new float[] {1, 2})).hasSize(1);
        float[] certain = {12, 3, 2, -4, -5, -6, -7, -8, -9, -10};
        assertThat(AnswerCovariance.factors(certain).size()).isBetween(2, 5);
    }
}
