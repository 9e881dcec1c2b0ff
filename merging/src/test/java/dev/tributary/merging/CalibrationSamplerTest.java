package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CalibrationSamplerTest {

    @Test
    void everyItemIsSeenOnceAnEpoch() {
        CalibrationSampler sampler = new CalibrationSampler(3, 4);
        List<Integer> seen = new ArrayList<>();
        for (int step = 0; step < 5; step++) {
            for (int item : sampler.items("spam", 10, step)) {
                seen.add(item);
            }
        }
        assertThat(seen.subList(0, 10)).containsExactlyInAnyOrderElementsOf(upTo(10));
        assertThat(seen.subList(10, 20)).containsExactlyInAnyOrderElementsOf(upTo(10));
        assertThat(seen.subList(0, 10)).isNotEqualTo(seen.subList(10, 20));
    }

    @Test
    void theItemsOfAStepDependOnSeedAndTaskAlone() {
        int[] alone = new CalibrationSampler(3, 4).items("spam", 100, 17);
        CalibrationSampler busy = new CalibrationSampler(3, 4);
        for (int step = 0; step < 17; step++) {
            busy.items("hedges", 40, step);
            busy.items("spam", 100, step);
        }
        assertThat(busy.items("spam", 100, 17)).isEqualTo(alone);
        assertThat(new CalibrationSampler(4, 4).items("spam", 100, 17)).isNotEqualTo(alone);
        assertThat(new CalibrationSampler(3, 4).items("hedges", 100, 17)).isNotEqualTo(alone);
    }

    @Test
    void aStepWithRoomForAllTakesAllInOrder() {
        assertThat(new CalibrationSampler(3, 8).items("spam", 5, 2)).containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void everyPlaceOfTheOrderIsDrawnFromAllItems() {
        int[] first = new int[8];
        for (int seed = 0; seed < 8000; seed++) {
            first[new CalibrationSampler(seed, 1).items("spam", 8, 0)[0]]++;
        }
        for (int count : first) {
            assertThat(count).isBetween(850, 1150);
        }
    }

    private static List<Integer> upTo(int size) {
        return IntStream.range(0, size).boxed().toList();
    }
}
