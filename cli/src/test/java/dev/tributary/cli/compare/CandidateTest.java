package dev.tributary.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import org.junit.jupiter.api.Test;

class CandidateTest {
    @Test
    void everyChoiceOfEveryCandidateIsOneItsMethodKnows() {
        for (Candidate candidate : Candidate.all()) {
            assertThat(candidate.grid())
                    .as(candidate.name())
                    .isNotEmpty()
                    .allSatisfy(options ->
                            assertThat(
                                            MergeMethod.of(candidate.method(), options)
                                                    .options()
                                                    .keySet()
                                                    .containsAll(options.keySet()))
                                    .isTrue());
        }
        assertThat(Candidate.all()).extracting(Candidate::name).doesNotHaveDuplicates();
    }

    @Test
    void onlyWhatDrawsAnythingIsRunOnceASeed() {
        assertThat(Candidate.defaults())
                .filteredOn(Candidate::seeded)
                .extracting(Candidate::name)
                .contains("DARE", "AdaMerging", "DivMerge LL JS", "LOT", "Fisher")
                .doesNotContain("TIES", "averaging", "WUDI");
    }

    @Test
    void whatTakesGradientsOfLabelsCannotLearnFromTextsThatAreGenerated() {
        assertThat(Candidate.defaults())
                .filteredOn(candidate -> !candidate.takesGeneration())
                .extracting(Candidate::name)
                .containsExactly("Fisher", "TATR", "TIES + TATR");
    }
}
