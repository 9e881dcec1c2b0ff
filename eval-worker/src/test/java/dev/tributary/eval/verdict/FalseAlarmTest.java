package dev.tributary.eval.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How often the policy cries wolf, and how often it sees one: whole generations simulated, each
/// judged against the last that was not worse, as it is in service.
///
/// An item has a probability of its own of being answered correctly, drawn once; every generation
/// answers it anew with that probability. Three quarters of the items are all but settled and one
/// quarter is open, so that some 8 % of the answers change between two equally good generations.
class FalseAlarmTest {

    private static final RegressionPolicy POLICY = new RegressionPolicy(0.01, 0.02, 0.15);
    private static final int NONE = -1;

    /// The rate lies between 0.4 and 0.95 % for all of these; with 10,000 generations its standard
    /// error is 0.1 %. An alarm tends to repeat while a lucky champion stays, which is counted.
    @ParameterizedTest(name = "{0} tasks of {1} items")
    @CsvSource({"1, 300", "3, 200", "5, 100", "11, 25", "8, 300"})
    void hardlyOneOfAHundredGenerationsThatAreNoWorseIsCalledARegression(int tasks, int items) {
        int generations = 10_000;
        Pool pool = new Pool(tasks, items, 20261 + tasks * 31 + items);
        List<CorrectItems> champion = pool.generation(NONE, 0);
        int alarms = 0;
        for (int i = 0; i < generations; i++) {
            List<CorrectItems> challenger = pool.generation(NONE, 0);
            if (regressed(challenger, champion)) {
                alarms++;
            } else {
                champion = challenger;
            }
        }

        assertThat((double) alarms / generations).isLessThanOrEqualTo(0.01);
    }

    @Test
    void aTaskThatFallsByTenPointsAloneIsFound() {
        assertThat(found(8, 400, 3, 0.10)).isGreaterThan(0.85);
    }

    @Test
    void aFallOfFourPointsEverywhereIsFound() {
        assertThat(found(8, 400, ALL, 0.04)).isGreaterThan(0.99);
    }

    @Test
    void aFallOfTenPointsEverywhereIsFoundWithTwentyFiveItemsATask() {
        assertThat(found(11, 25, ALL, 0.10)).isGreaterThan(0.85);
    }

    private static final int ALL = -2;

    /// How often a generation is called a regression when one task, or all, are worse by a drop.
    private static double found(int tasks, int items, int worse, double drop) {
        Pool pool = new Pool(tasks, items, 97);
        int found = 0;
        int rounds = 2_000;
        for (int i = 0; i < rounds; i++) {
            List<CorrectItems> champion = pool.generation(NONE, 0);
            found += regressed(pool.generation(worse, drop), champion) ? 1 : 0;
        }
        return (double) found / rounds;
    }

    private static boolean regressed(List<CorrectItems> challenger, List<CorrectItems> champion) {
        List<PairedOutcome> outcomes =
                IntStream.range(0, challenger.size())
                        .mapToObj(task -> challenger.get(task).since(champion.get(task)))
                        .toList();
        return Falls.of(outcomes, POLICY).any();
    }

    /// Tasks whose items have fixed probabilities of being answered correctly.
    private static final class Pool {

        private final SplittableRandom random;
        private final List<double[]> tasks = new ArrayList<>();

        Pool(int count, int items, long seed) {
            random = new SplittableRandom(seed);
            for (int task = 0; task < count; task++) {
                double[] probabilities = new double[items];
                for (int i = 0; i < items; i++) {
                    boolean open = random.nextInt(4) == 0;
                    probabilities[i] = open ? 0.15 + 0.7 * random.nextDouble() : settled();
                }
                tasks.add(probabilities);
            }
        }

        private double settled() {
            return random.nextInt(6) == 0 ? 0.002 : 0.998;
        }

        /// Answers every item; a drop turns that fraction of all answers from right to wrong.
        List<CorrectItems> generation(int worse, double drop) {
            List<CorrectItems> generation = new ArrayList<>();
            for (int task = 0; task < tasks.size(); task++) {
                double[] probabilities = tasks.get(task);
                double fall = worse == ALL || worse == task ? drop : 0;
                double keep = 1 - fall / Arrays.stream(probabilities).average().orElse(1);
                int[] answers = new int[probabilities.length];
                for (int i = 0; i < answers.length; i++) {
                    answers[i] = random.nextDouble() < probabilities[i] * keep ? 0 : 1;
                }
                generation.add(CorrectItems.of(answers, new int[answers.length]));
            }
            return generation;
        }
    }
}
