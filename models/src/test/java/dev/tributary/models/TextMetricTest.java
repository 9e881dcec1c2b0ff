package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextMetricTest {
    private static final double EXACT = 1e-12;

    /// The expectations of `rouge_score`'s own tests (google-research, `rouge_scorer_test.py`).
    @ParameterizedTest
    @CsvSource({
        "testing one two, testing one, 0.8, 0.8",
        "testing one two, testing two, 0.8, 0.8",
        "testing one two, two testing, 0.8, 0.4",
        "testing one two, '', 0, 0",
        "'Testing, one-two!', testing ONE two, 1, 1",
    })
    void rougeIsThatOfRougeScore(String reference, String answer, double one, double longest) {
        assertThat(TextMetric.ROUGE_1.score(answer, reference)).isCloseTo(one, within(EXACT));
        assertThat(TextMetric.ROUGE_L.score(answer, reference)).isCloseTo(longest, within(EXACT));
    }

    /// The expectations of sacrebleu's own tests (`test_chrf.py`, effective order), which weigh
    /// recall with beta = 3.
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "abcdefg | hijklmnop | 0",
                "a | a | 1",
                "a b c | abc | 1",
                "aa | ab | 0.25",
                "'' | reference | 0",
                "' Die    Beziehung zwischen  Obama und Netanjahu ist nicht gerade  freundlich. '"
                        + " | Das Verhältnis zwischen Obama und Netanyahu ist nicht gerade"
                        + " freundschaftlich. | 0.64130269831561459",
                "risk assessment must be made of those who are qualified and expertise in the sector"
                        + " - these are the scientists . | risk assessment has to be undertaken by"
                        + " those who are qualified and expert in that area - that is the scientists"
                        + " . | 0.63361730303214769",
            })
    void chrfIsThatOfSacrebleu(String answer, String reference, double expected) {
        assertThat(TextMetric.chrf(answer, reference, 3)).isCloseTo(expected, within(1e-9));
    }

    @Test
    void chrf2CountsRecallTwiceAsMuch() {
        // One of one given character, one of two expected: 5 p r / (4 p + r) with r = 0.5; of two
        // characters only the reference has n-grams.
        assertThat(TextMetric.CHRF.score("a", "ab")).isCloseTo(2.5 / 4.5, within(EXACT));
    }

    @Test
    void tokenF1LeavesArticlesAndPunctuationOut() {
        assertThat(TextMetric.TOKEN_F1.score("The  Denver Broncos!", "denver broncos"))
                .isEqualTo(1);
        assertThat(TextMetric.TOKEN_F1.score("a cat", "cat sat")).isCloseTo(2.0 / 3, within(EXACT));
        assertThat(TextMetric.TOKEN_F1.score("the", "a")).isEqualTo(1);
        assertThat(TextMetric.TOKEN_F1.score("the", "cat")).isZero();
    }

    @Test
    void anExactMatchForgivesSpacesAroundIt() {
        assertThat(TextMetric.EXACT_MATCH.score(" yes ", "yes")).isEqualTo(1);
        assertThat(TextMetric.EXACT_MATCH.score("Yes", "yes")).isZero();
    }

    @Test
    void aLikelihoodComparesNoTexts() {
        assertThatThrownBy(() -> TextMetric.INVERSE_PERPLEXITY.score("a", "a"))
                .isInstanceOf(IllegalStateException.class);
    }

    @Test
    void everyMetricIsFoundByItsName() {
        for (TextMetric metric : TextMetric.values()) {
            assertThat(Metric.of(metric.id())).contains(metric);
            assertThat(Metric.of(TaskKind.GENERATION)).contains(metric);
        }
        assertThat(Metric.of("bleu")).isEmpty();
    }
}
