package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.ScaleChoice;
import dev.tributary.merging.ScaleGrid;
import dev.tributary.merging.method.MethodCatalogue;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class MergeCommandTest {
    @Test
    void everyValueOfAScaleIsToldWithItsScoreAndTheChosenOneAtTheEnd() {
        ScaleGrid grid =
                new ScaleGrid(
                        MethodCatalogue.find("iso_c").orElseThrow().scale().orElseThrow(),
                        List.of(1.0, 0.5),
                        ScaleGrid.Score.METRIC,
                        100);
        ScaleChoice tuning =
                new ScaleChoice(
                        grid,
                        new TreeMap<>(),
                        new TreeMap<>(),
                        List.of(
                                new ScaleChoice.Candidate(0.5, 0.75, new TreeMap<>()),
                                new ScaleChoice.Candidate(1, 0.61234, new TreeMap<>())));
        assertThat(MergeCommand.scores(tuning))
                .isEqualTo("alpha by metric score: 0.5 0.7500, 1.0 0.6123; chosen 0.5");
    }
}
