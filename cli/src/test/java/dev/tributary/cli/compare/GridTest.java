package dev.tributary.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.Test;

class GridTest {
    private static final Candidate DRAWS = candidate("DivMerge LL JS");
    private static final Candidate DRAWS_NOTHING = candidate("TIES");

    private static Candidate candidate(String name) {
        return Candidate.defaults().stream()
                .filter(c -> c.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private static Comparison.Grid grid(boolean crossed) {
        SequencedMap<Integer, List<List<String>>> subsets = new LinkedHashMap<>();
        subsets.put(2, List.of(List.of("a", "b"), List.of("a", "c"), List.of("b", "c")));
        subsets.put(3, List.of(List.of("a", "b", "c")));
        subsets.put(4, List.of(List.of("a", "b", "c", "d")));
        return new Comparison.Grid(
                List.of(DRAWS, DRAWS_NOTHING), subsets, List.of(1L, 2L), crossed, 100, 300, 100);
    }

    @Test
    void subsetsTakeTurnsWithTheSeedsAndTheLastHasAll() {
        assertThat(grid(false).seeds(DRAWS, 2, 0)).containsExactly(1L);
        assertThat(grid(false).seeds(DRAWS, 2, 1)).containsExactly(2L);
        assertThat(grid(false).seeds(DRAWS, 2, 2)).containsExactly(1L);
        assertThat(grid(false).seeds(DRAWS, 3, 0)).containsExactly(1L);
        assertThat(grid(false).seeds(DRAWS, 4, 0)).containsExactly(1L, 2L);
        assertThat(grid(false).seeds(DRAWS_NOTHING, 4, 0)).containsExactly(1L);
        assertThat(grid(false).cells()).isEqualTo(3 + 3 + 1 + 1 + 2 + 1);
    }

    @Test
    void crossedEverySubsetHasEverySeed() {
        assertThat(grid(true).seeds(DRAWS, 2, 1)).containsExactly(1L, 2L);
        assertThat(grid(true).seeds(DRAWS_NOTHING, 2, 1)).containsExactly(1L);
        assertThat(grid(true).cells()).isEqualTo(6 + 3 + 2 + 1 + 2 + 1);
    }
}
