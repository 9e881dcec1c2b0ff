package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LeadingTokensTest {
    @Test
    void theyAreThoseThatComeFirstWhenAllAreSorted() {
        Random random = new Random(1);
        for (int trial = 0; trial < 300; trial++) {
            int size = 1 + random.nextInt(60);
            int count = 1 + random.nextInt(70);
            float[] scores = new float[size + 3];
            for (int i = 0; i < scores.length; i++) {
                scores[i] = random.nextInt(12); // many are alike
            }
            int[] expected =
                    IntStream.range(0, size)
                            .boxed()
                            .sorted(
                                    Comparator.comparingDouble((Integer i) -> -scores[3 + i])
                                            .thenComparing(i -> i))
                            .limit(count)
                            .mapToInt(i -> i)
                            .sorted()
                            .toArray();
            assertThat(LeadingTokens.of(scores, 3, size, count)).isEqualTo(expected);
        }
    }

    @Test
    void allOthersAreOneOutcome() {
        double[] logs = {Math.log(0.1), Math.log(0.5), Math.log(0.1), Math.log(0.3)};
        double[] together = new double[3];

        LeadingTokens.together(logs, 4, new int[] {9, 1, 3}, 1, 2, together);

        assertThat(Math.exp(together[0])).isCloseTo(0.5, within(1e-12));
        assertThat(Math.exp(together[1])).isCloseTo(0.3, within(1e-12));
        assertThat(Math.exp(together[2])).isCloseTo(0.2, within(1e-12));
    }
}
