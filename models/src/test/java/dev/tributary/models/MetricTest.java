package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

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
