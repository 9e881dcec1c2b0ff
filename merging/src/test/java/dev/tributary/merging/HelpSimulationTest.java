package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// What help is worth, with up to 64 workers and 100 experts: the real decisions in a time that is
/// counted instead of waited for. Leaves a table in `target/help.md`.
class HelpSimulationTest {
    private static final int EXPERTS = 100;
    private static final int STEPS = 120;

    /// A task's inputs of one step forwards and backwards, and what a record is on its way:
    /// MiniLM-L6 with four inputs on two cores, as `docs/results.md` has it (layer level, seven
    /// tasks: 43.7 s for 240 inputs there and back and 400 there alone, of each task), and a broker
    /// nearby.
    private static final double TASK_SECONDS = 0.067;

    private static final double WAY_SECONDS = 0.004;

    /// Time that passes where it is said that it does.
    private static final class World implements Colleagues {
        private final int helpers;
        private final double lostShare;
        private final double stragglerShare;
        private final SplittableRandom random = new SplittableRandom(7);
        private final PriorityQueue<Coming> coming =
                new PriorityQueue<>(Comparator.comparingLong(Coming::at));
        private final Map<String, Long> busyUntil = new HashMap<>();
        private long now;

        private record Coming(long at, Answered answer) {}

        World(int helpers, double lostShare, double stragglerShare) {
            this.helpers = helpers;
            this.lostShare = lostShare;
            this.stragglerShare = stragglerShare;
        }

        /// What a share costs, with the ups and downs of a machine that does other things as well.
        long cost() {
            double seconds = TASK_SECONDS * (0.9 + 0.2 * random.nextDouble());
            return (long) (1e9 * seconds);
        }

        ShareAnswer compute(DescentQuestion question, int share) {
            now += cost();
            return answer(question, share);
        }

        /// What the share is, whoever computes it.
        private static ShareAnswer answer(DescentQuestion question, int share) {
            double[] gradient = new double[EXPERTS];
            gradient[share] = Math.sin(share + question.coefficients()[share][0]);
            return new ShareAnswer(new double[] {Math.cos(share)}, gradient);
        }

        @Override
        public List<String> present() {
            return IntStream.range(0, helpers).mapToObj("helper-%d"::formatted).toList();
        }

        @Override
        public void ask(DescentQuestion question, Map<Integer, String> shares) {
            Map<String, List<Integer>> each = new HashMap<>();
            shares.forEach((share, helper) ->
                    each.computeIfAbsent(helper, _ -> new ArrayList<>()).add(share));
            each.forEach((helper, asked) -> {
                long at = Math.max(now, busyUntil.getOrDefault(helper, 0L)) + way();
                double pace = random.nextDouble() < stragglerShare ? 20 : 1;
                for (int share : asked.stream().sorted().toList()) {
                    at += (long) (pace * cost());
                    if (random.nextDouble() >= lostShare) {
                        coming.add(
                                new Coming(
                                        at + way(),
                                        new Answered(
                                                helper,
                                                question.number(),
                                                share,
                                                answer(question, share))));
                    }
                }
                busyUntil.put(helper, at);
            });
        }

        private static long way() {
            return (long) (1e9 * WAY_SECONDS);
        }

        @Override
        public Optional<Answered> next(Duration patience) {
            Coming first = coming.peek();
            if (first == null || first.at() > now + patience.toNanos()) {
                now += patience.toNanos();
                return Optional.empty();
            }
            now = Math.max(now, first.at());
            coming.remove();
            return Optional.of(first.answer());
        }
    }

    private record Outcome(double seconds, List<Double> gradient) {}

    private static Outcome descent(int workers, double lostShare, double stragglerShare) {
        World world = new World(workers - 1, lostShare, stragglerShare);
        SharedObjective objective =
                new SharedObjective(world::compute, EXPERTS, world, () -> world.now);
        double[][] coefficients = new double[EXPERTS][1];
        double[][] gradient = coefficients;
        List<int[]> items = Collections.nCopies(EXPERTS, new int[] {0, 1, 2, 3});
        for (int step = 0; step < STEPS; step++) {
            double[][] flat = new double[EXPERTS][1];
            objective.step(coefficients, items, flat);
            for (int t = 0; t < EXPERTS; t++) {
                coefficients[t][0] -= 0.1 * flat[t][0];
            }
            gradient = flat;
        }
        return new Outcome(world.now / 1e9, Arrays.stream(gradient).map(row -> row[0]).toList());
    }

    @Test
    void helpIsWorthItUpToManyWorkersAndChangesNothing() throws IOException {
        Outcome alone = descent(1, 0, 0);
        StringBuilder table =
                new StringBuilder(
                        """
                        | workers | all answer | one answer in 100 is lost | one question in 50 takes a helper 20 times as long |
                        |---|---|---|---|
                        """);
        double before = 0;
        for (int workers : new int[] {2, 4, 8, 16, 32, 64}) {
            Outcome helped = descent(workers, 0, 0);
            double faster = alone.seconds() / helped.seconds();
            table.append(
                    String.format(
                            Locale.ROOT,
                            "| %d | %.1f | %.1f | %.1f |%n",
                            workers,
                            faster,
                            alone.seconds() / descent(workers, 0.01, 0).seconds(),
                            alone.seconds() / descent(workers, 0, 0.02).seconds()));
            assertThat(helped.gradient()).isEqualTo(alone.gradient());
            assertThat(faster).isGreaterThan(before).isGreaterThan(0.5 * Math.min(workers, 32));
            before = faster;
        }
        Files.writeString(Path.of("target", "help.md"), table);
    }

    @Test
    void whatIsLostOrSlowNeverCostsMoreThanDoingWithoutWould() {
        Outcome alone = descent(1, 0, 0);
        for (double trouble : new double[] {0.01, 0.1, 0.5, 1}) {
            for (int workers : new int[] {2, 8, 64}) {
                Outcome lost = descent(workers, trouble, 0);
                Outcome slow = descent(workers, 0, trouble);
                assertThat(lost.gradient()).isEqualTo(alone.gradient());
                assertThat(slow.gradient()).isEqualTo(alone.gradient());
                assertThat(lost.seconds()).isLessThan(1.6 * alone.seconds());
                assertThat(slow.seconds()).isLessThan(1.6 * alone.seconds());
            }
        }
    }
}
