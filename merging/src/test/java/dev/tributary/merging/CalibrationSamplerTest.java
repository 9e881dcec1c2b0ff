package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CalibrationSamplerTest {
    @Test
    void everyItemIsSeenEquallyOften() {
        CalibrationSampler sampler = new CalibrationSampler(3, 4);
        List<Integer> seen = new ArrayList<>();
        for (int step = 0; step < 20; step++) {
            for (int item : sampler.items("spam", 10, CalibrationSamplerTest::length, step)) {
                seen.add(item);
            }
        }
        assertThat(new HashSet<>(seen.subList(0, 16)))
                .containsExactlyInAnyOrderElementsOf(upTo(10));
        for (int item = 0; item < 10; item++) {
            assertThat(Collections.frequency(seen, item)).isEqualTo(8);
        }
    }

    @Test
    void theItemsOfAStepDependOnSeedAndTaskAlone() {
        int[] alone = items(new CalibrationSampler(3, 4), "spam", 17);
        CalibrationSampler busy = new CalibrationSampler(3, 4);
        for (int step = 0; step < 17; step++) {
            busy.items("hedges", 40, CalibrationSamplerTest::length, step);
            items(busy, "spam", step);
        }
        assertThat(items(busy, "spam", 17)).isEqualTo(alone);
        assertThat(items(new CalibrationSampler(4, 4), "spam", 17)).isNotEqualTo(alone);
        assertThat(items(new CalibrationSampler(3, 4), "hedges", 17)).isNotEqualTo(alone);
    }

    @Test
    void theItemsOfAStepAreOfSimilarLength() {
        CalibrationSampler sampler = new CalibrationSampler(3, 4);
        double spread = 0;
        for (int step = 0; step < 100; step++) {
            int[] lengths =
                    IntStream.of(items(sampler, "spam", step))
                            .map(CalibrationSamplerTest::length)
                            .sorted()
                            .toArray();
            spread += lengths[3] - lengths[0];
        }
        // Drawn one by one, the longest of four would be about eighteen longer than the shortest.
        assertThat(spread / 100).isLessThan(9);
    }

    @Test
    void longAndShortItemsComeInNoFixedTurn() {
        CalibrationSampler sampler = new CalibrationSampler(3, 4);
        List<Integer> turns = new ArrayList<>();
        for (int window = 0; window < 40; window++) {
            int longest = 0;
            for (int turn = 1; turn < 4; turn++) {
                if (longest(sampler, 4 * window + turn) > longest(sampler, 4 * window + longest)) {
                    longest = turn;
                }
            }
            turns.add(longest);
        }
        assertThat(new HashSet<>(turns)).containsExactlyInAnyOrder(0, 1, 2, 3);
    }

    @Test
    void aStepWithRoomForAllTakesAllInOrder() {
        assertThat(new CalibrationSampler(3, 8).items("spam", 5, CalibrationSamplerTest::length, 2))
                .containsExactly(0, 1, 2, 3, 4);
    }

    @Test
    void aSampleIsDrawnFromTheWholeSet() {
        int[] chosen = new int[40];
        for (int seed = 0; seed < 4000; seed++) {
            List<Integer> sample = CalibrationSampler.sample(seed, "spam", 40, 10);
            assertThat(sample).hasSize(10).isSorted().doesNotHaveDuplicates();
            sample.forEach(item -> chosen[item]++);
        }
        for (int count : chosen) {
            assertThat(count).isBetween(880, 1120);
        }
        assertThat(CalibrationSampler.sample(1, "spam", 3, 10)).containsExactly(0, 1, 2);
    }

    private static int length(int item) {
        return 5 + item * 7 % 31;
    }

    private static int longest(CalibrationSampler sampler, int step) {
        return IntStream.of(items(sampler, "spam", step))
                .map(CalibrationSamplerTest::length)
                .max()
                .orElseThrow();
    }

    private static int[] items(CalibrationSampler sampler, String task, int step) {
        return sampler.items(task, 100, CalibrationSamplerTest::length, step);
    }

    private static List<Integer> upTo(int size) {
        return IntStream.range(0, size).boxed().toList();
    }
}
