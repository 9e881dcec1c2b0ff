package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.tensors.Digest;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JournaledObjectiveTest {
    private static final int STEPS = 12;

    @TempDir Path cache;

    private final Counting counting = new Counting();

    @Test
    void aDescentThatIsCutOffGoesOnWhereItWas() {
        double[] whole = descend(new Counting(), STEPS);
        counting.most = 5;

        assertThatThrownBy(this::journaled).isInstanceOf(CutOffException.class);
        counting.most = Integer.MAX_VALUE;

        assertThat(journaled()).isEqualTo(whole);
        assertThat(counting.evaluations).isEqualTo(STEPS + 1);
    }

    @Test
    void aHalfWrittenAnswerIsWorkedOutAgainAndWhatComesBeforeIsNot() throws IOException {
        double[] whole = journaled();
        try (FileChannel file = FileChannel.open(journal(), StandardOpenOption.WRITE)) {
            file.truncate(file.size() - 3);
        }

        assertThat(journaled()).isEqualTo(whole);
        assertThat(counting.evaluations).isEqualTo(STEPS + 2);
    }

    @Test
    void aDamagedAnswerIsWorkedOutAgainWithAllAfterIt() throws IOException {
        double[] whole = journaled();
        byte[] bytes = Files.readAllBytes(journal());
        bytes[bytes.length / 2] ^= 1;
        Files.write(journal(), bytes);

        assertThat(journaled()).isEqualTo(whole);
        assertThat(counting.evaluations).isBetween(STEPS + 2, 2 * STEPS);
    }

    @Test
    void anotherQuestionThanLastTimeHasNoAnswerAndNoneAfterItHas() {
        try (AnswerJournal journal = open()) {
            journal.write(Digest.ofText("a"), new double[] {1});
            journal.write(Digest.ofText("b"), new double[] {2});
            journal.write(Digest.ofText("c"), new double[] {3});
        }

        try (AnswerJournal journal = open()) {
            assertThat(journal.next(Digest.ofText("a"))).hasValue(new double[] {1});
            assertThat(journal.next(Digest.ofText("x"))).isEmpty();
            journal.write(Digest.ofText("x"), new double[] {4});
            assertThat(journal.next(Digest.ofText("c"))).isEmpty();
        }
        try (AnswerJournal journal = open()) {
            assertThat(journal.next(Digest.ofText("a"))).hasValue(new double[] {1});
            assertThat(journal.next(Digest.ofText("x"))).hasValue(new double[] {4});
        }
    }

    @Test
    void oneAtATimeWritesIt() {
        try (AnswerJournal _ = open()) {
            assertThat(AnswerJournal.open(cache, "work")).isEmpty();
        }
        open().close();
    }

    @Test
    void onlyTheNewestAreKept() throws IOException {
        for (int i = 0; i < 50; i++) {
            AnswerJournal.open(cache, "work " + i).orElseThrow().close();
        }

        try (Stream<Path> files = Files.list(cache.resolve("descents"))) {
            assertThat(files.count()).isLessThan(40);
        }
    }

    private AnswerJournal open() {
        return AnswerJournal.open(cache, "work").orElseThrow();
    }

    private Path journal() throws IOException {
        try (Stream<Path> files = Files.list(cache.resolve("descents"))) {
            return files.findFirst().orElseThrow();
        }
    }

    private double[] journaled() {
        try (AnswerJournal journal = open()) {
            return descend(new JournaledObjective(counting, journal), STEPS);
        }
    }

    /// Plain gradient descent.
    private static double[] descend(Objective objective, int steps) {
        double[][] at = {{0.1, 0.9}, {0.4, 0.2}};
        double[][] gradient = new double[2][2];
        List<int[]> items = List.of(new int[] {0, 2}, new int[] {1});
        for (int step = 0; step < steps; step++) {
            objective.step(at, items, gradient);
            for (int t = 0; t < 2; t++) {
                for (int g = 0; g < 2; g++) {
                    at[t][g] -= 0.1 * gradient[t][g];
                }
            }
        }
        double[] losses = objective.losses(at);
        return new double[] {at[0][0], at[0][1], at[1][0], at[1][1], losses[0], losses[1]};
    }

    private static final class CutOffException extends RuntimeException {
        private static final long serialVersionUID = 1L;
    }

    /// The sum of fourth powers.
    private static final class Counting implements Objective {
        private int evaluations;
        private int most = Integer.MAX_VALUE;

        @Override
        public double[] losses(double[][] coefficients) {
            if (evaluations == most) {
                throw new CutOffException();
            }
            evaluations++;
            return Arrays.stream(coefficients)
                    .mapToDouble(row -> Arrays.stream(row).map(c -> Math.pow(c, 4)).sum())
                    .toArray();
        }

        @Override
        public double[] step(double[][] coefficients, List<int[]> items, double[][] gradient) {
            double[] losses = losses(coefficients);
            for (int t = 0; t < gradient.length; t++) {
                for (int g = 0; g < gradient[t].length; g++) {
                    gradient[t][g] = 4 * Math.pow(coefficients[t][g], 3);
                }
            }
            return losses;
        }
    }
}
