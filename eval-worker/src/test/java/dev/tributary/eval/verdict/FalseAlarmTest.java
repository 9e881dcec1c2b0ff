package dev.tributary.eval.verdict;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.eval.verdict.TaskResult.Scored;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.ToDoubleFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// How often the policy cries wolf, and how often it sees one: whole generations simulated, each
/// judged against the last that passed, as it is in service.
///
/// An item has a probability of its own of being answered correctly, drawn once; every generation
/// answers it anew with that probability. Three quarters of the items are all but settled and one
/// quarter is open, so that some 8 % of the answers change between two equally good generations.
class FalseAlarmTest {

    private static final RegressionPolicy POLICY = new RegressionPolicy(0.01, 0.02, 1);
    private static final int GENERATIONS = 2_000;

    @ParameterizedTest(name = "{0} tasks of {1} items")
    @CsvSource({"1, 300", "3, 200", "8, 200", "11, 25", "11, 100", "2, 1000"})
    void atMostOneOfAHundredGenerationsThatAreNoWorseIsCalledARegression(int tasks, int items) {
        Pool pool = new Pool(tasks, items, 20261 + tasks * 31 + items);
        Map<String, TaskResult> champion = pool.generation(_ -> 0);
        int alarms = 0;
        for (int i = 0; i < GENERATIONS; i++) {
            Map<String, TaskResult> challenger = pool.generation(_ -> 0);
            Verdict verdict = judge(challenger, champion);
            if (verdict == Verdict.REGRESSED) {
                alarms++;
            } else {
                champion = challenger;
            }
        }

        assertThat((double) alarms / GENERATIONS).isLessThanOrEqualTo(0.01);
    }

    @Test
    void aTaskThatFallsByTenPointsAloneIsFound() {
        assertThat(found(8, 400, task -> task.equals("task-3") ? 0.10 : 0)).isGreaterThan(0.80);
    }

    @Test
    void aFallOfFourPointsEverywhereIsFound() {
        assertThat(found(8, 400, _ -> 0.04)).isGreaterThan(0.95);
    }

    @Test
    void aFallOfTenPointsEverywhereIsFoundWithTwentyFiveItemsATask() {
        assertThat(found(11, 25, _ -> 0.10)).isGreaterThan(0.80);
    }

    /// How often generations that are worse by these drops are called a regression.
    private static double found(int tasks, int items, ToDoubleFunction<String> drop) {
        Pool pool = new Pool(tasks, items, 97);
        int found = 0;
        int rounds = 400;
        for (int i = 0; i < rounds; i++) {
            Map<String, TaskResult> champion = pool.generation(_ -> 0);
            if (judge(pool.generation(drop), champion) == Verdict.REGRESSED) {
                found++;
            }
        }
        return (double) found / rounds;
    }

    private static Verdict judge(
            Map<String, TaskResult> challenger, Map<String, TaskResult> champion) {
        return POLICY.judge(List.copyOf(challenger.values()), champion).verdict();
    }

    /// Tasks whose items have fixed probabilities of being answered correctly.
    private static final class Pool {

        private final SplittableRandom random;
        private final List<double[]> tasks = new ArrayList<>();

        Pool(int count, int items, long seed) {
            random = new SplittableRandom(seed);
            for (int t = 0; t < count; t++) {
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
        Map<String, TaskResult> generation(ToDoubleFunction<String> drop) {
            Map<String, TaskResult> results = new HashMap<>();
            for (int t = 0; t < tasks.size(); t++) {
                String task = "task-" + t;
                double[] probabilities = tasks.get(t);
                int[] answers = new int[probabilities.length];
                double mean = java.util.Arrays.stream(probabilities).average().orElse(1);
                double keep = 1 - drop.applyAsDouble(task) / mean;
                for (int i = 0; i < answers.length; i++) {
                    answers[i] = random.nextDouble() < probabilities[i] * keep ? 0 : 1;
                }
                CorrectItems correct = CorrectItems.of(answers, new int[answers.length]);
                double score = (double) correct.count() / answers.length;
                results.put(
                        task, new Scored(task, "accuracy", score, 0.9, 0, "sha256:items", correct));
            }
            return results;
        }
    }
}
