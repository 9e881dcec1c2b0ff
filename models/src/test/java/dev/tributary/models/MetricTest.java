package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Expected values worked out by hand from the confusion matrix
///
/// ```
///            predicted 0  1  2
/// expected 0           2  1  0
///          1           1  2  0
///          2           1  0  3
/// ```
class MetricTest {
    private static final int[] EXPECTED = {0, 0, 0, 1, 1, 1, 2, 2, 2, 2};
    private static final int[] PREDICTED = {0, 0, 1, 1, 1, 0, 2, 2, 2, 0};

    @Test
    void accuracyIsTheShareOfRightAnswers() {
        assertThat(LabelMetric.ACCURACY.score(PREDICTED, EXPECTED, 3)).isEqualTo(0.7);
    }

    @Test
    void macroF1IsTheMeanOverLabels() {
        double expected = (2.0 * 2 / (3 + 4) + 2.0 * 2 / (3 + 3) + 2.0 * 3 / (4 + 3)) / 3;

        assertThat(LabelMetric.MACRO_F1.score(PREDICTED, EXPECTED, 3))
                .isCloseTo(expected, within(1e-15));
    }

    @Test
    void macroF1LeavesOutLabelsNobodyUses() {
        assertThat(LabelMetric.MACRO_F1.score(PREDICTED, EXPECTED, 7))
                .isEqualTo(LabelMetric.MACRO_F1.score(PREDICTED, EXPECTED, 3));
    }

    @Test
    void matthewsCorrelatesManyLabels() {
        double covariance = 7 * 10 - (3 * 4 + 3 * 3 + 4 * 3);
        double expected = covariance / Math.sqrt((100 - 16 - 9 - 9) * (double) (100 - 9 - 9 - 16));

        assertThat(LabelMetric.MATTHEWS.score(PREDICTED, EXPECTED, 3))
                .isCloseTo(expected, within(1e-15));
    }

    @Test
    void matthewsOfTwoLabelsIsTheUsualCoefficient() {
        int[] expected = {1, 1, 1, 1, 1, 1, 0, 0, 0, 0};
        int[] predicted = {1, 1, 1, 1, 0, 0, 0, 0, 0, 1};
        double coefficient = (4 * 3 - 1 * 2) / Math.sqrt(5.0 * 6 * 4 * 5);

        assertThat(LabelMetric.MATTHEWS.score(predicted, expected, 2))
                .isCloseTo(coefficient, within(1e-15));
    }

    @Test
    void anItemMovesTheAccuracyByWhatItIsFromTheMean() {
        double[] influences = LabelMetric.ACCURACY.influences(PREDICTED, EXPECTED, 3);

        for (int i = 0; i < influences.length; i++) {
            double right = PREDICTED[i] == EXPECTED[i] ? 1 : 0;
            assertThat(influences[i]).isCloseTo(right - 0.7, within(1e-14));
        }
    }

    @ParameterizedTest
    @EnumSource(LabelMetric.class)
    void influencesTellHowFarAnotherDrawOfItemsMovesTheScore(LabelMetric metric) {
        Random random = new Random(7);
        int items = 400;
        int[] expected = random.ints(items, 0, 3).toArray();
        int[] predicted =
                IntStream.range(0, items)
                        .map(i -> random.nextDouble() < 0.7 ? expected[i] : random.nextInt(3))
                        .toArray();

        double squares =
                Arrays.stream(metric.influences(predicted, expected, 3)).map(v -> v * v).sum();
        double[] draws = new double[2000];
        for (int draw = 0; draw < draws.length; draw++) {
            int[] drawn = random.ints(items, 0, items).toArray();
            draws[draw] =
                    metric.score(
                            Arrays.stream(drawn).map(i -> predicted[i]).toArray(),
                            Arrays.stream(drawn).map(i -> expected[i]).toArray(),
                            3);
        }

        double mean = Arrays.stream(draws).average().orElseThrow();
        double spread =
                Math.sqrt(
                        Arrays.stream(draws)
                                .map(v -> (v - mean) * (v - mean))
                                .average()
                                .orElseThrow());
        assertThat(Math.sqrt(squares) / items).isCloseTo(spread, withinPercentage(7));
    }

    @Test
    void aLongTextMovesAPerplexityByAllItsTokens() {
        double[] likelihoods = {-2, -9};
        int[] tokens = {1, 3};

        Scores scores = Scores.ofLikelihoods(likelihoods, tokens, TextMetric.INVERSE_PERPLEXITY);

        assertThat(scores.value()).isCloseTo(Math.exp(-11.0 / 4), within(1e-15));
        double more = 1e-6;
        double moved = Math.exp((-2 - 9 * (1 + more)) / (1 + 3 * (1 + more))) - scores.value();
        assertThat(scores.influences()[1] / 2 * more).isCloseTo(moved, withinPercentage(0.01));
        assertThat(scores.influences()[0]).isCloseTo(-scores.influences()[1], within(1e-15));
    }

    @Test
    void matthewsIsZeroWhereOneLabelIsAlwaysPredicted() {
        assertThat(LabelMetric.MATTHEWS.score(new int[] {1, 1, 1}, new int[] {1, 0, 1}, 2))
                .isZero();
    }

    @Test
    void everyMetricIsFoundByItsNameAndNothingElseIs() {
        for (Metric metric : LabelMetric.values()) {
            assertThat(Metric.of(metric.id())).contains(metric);
        }
        assertThat(Metric.of("ACCURACY")).isEmpty();
        assertThat(Metric.of("bleu")).isEmpty();
    }

    @Test
    void scoringNothingIsAnError() {
        assertThatThrownBy(() -> LabelMetric.ACCURACY.score(new int[0], new int[0], 2))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
