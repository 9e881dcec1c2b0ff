package dev.tributary.cli.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SubsetsTest {
    private static final List<String> TASKS = List.of("a", "b", "c", "d", "e");

    @Test
    void everySubsetIsTakenWhereThereIsRoom() {
        assertThat(Subsets.of(TASKS, 4, 5, 1))
                .containsExactlyInAnyOrder(
                        List.of("a", "b", "c", "d"),
                        List.of("a", "b", "c", "e"),
                        List.of("a", "b", "d", "e"),
                        List.of("a", "c", "d", "e"),
                        List.of("b", "c", "d", "e"));
    }

    @Test
    void aSampleHasDifferentSubsetsAndIsTheSameForTheSameSeed() {
        List<List<String>> sample = Subsets.of(TASKS, 2, 3, 7);

        assertThat(sample).hasSize(3).doesNotHaveDuplicates();
        assertThat(Subsets.of(TASKS, 2, 3, 7)).isEqualTo(sample);
    }
}
