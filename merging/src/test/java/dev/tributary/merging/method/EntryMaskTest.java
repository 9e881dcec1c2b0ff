package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EntryMaskTest {
    private final EntryMask mask = new EntryMask(200);

    @Test
    void markedEntriesAreVisitedInOrderAlsoAcrossWords() {
        List.of(130L, 0L, 64L, 63L, 199L).forEach(mask::set);
        assertThat(visited(0, 200)).containsExactly(0L, 63L, 64L, 130L, 199L);
        assertThat(visited(63, 2)).containsExactly(63L, 64L);
        assertThat(visited(64, 66)).containsExactly(64L);
    }

    @Test
    void aStretchWithoutMarkedEntriesSaysSo() {
        mask.set(70);
        assertThat(mask.any(0, 200)).isTrue();
        assertThat(mask.any(70, 1)).isTrue();
        assertThat(mask.any(0, 70)).isFalse();
        assertThat(mask.any(71, 129)).isFalse();
    }

    private List<Long> visited(long from, long count) {
        List<Long> visited = new ArrayList<>();
        mask.each(from, count, visited::add);
        return visited;
    }
}
