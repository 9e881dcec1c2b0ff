package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.merging.method.Decay;
import dev.tributary.merging.method.DescentSettings;
import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.Divergence;
import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.Solver;
import dev.tributary.models.Batch;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The descent on a plain quadratic, whose minimum is known: task `t`'s loss is the squared
/// distance of its coefficients from `0.4 + t / 10`.
class DescentTest {
    private static final List<String> GROUPS = List.of("embeddings", "layer.0");
    private static final double START = 0.3;

    private final List<String> told = new ArrayList<>();

    @Test
    void findsTheMinimum() {
        DivMergeResult result = descend(new Quadratic(), method(400, 10, 1000));
        assertThat(result.coefficients().of("a")).allSatisfy(c -> assertClose(c, 0.4));
        assertThat(result.coefficients().of("b")).allSatisfy(c -> assertClose(c, 0.5));
        assertThat(result.lossBefore().get("b")).isCloseTo(0.08, within(1e-12));
        assertThat(result.meanAfter()).isLessThan(1e-6);
    }

    @Test
    void limitedMemoryFindsTheMinimumOfAnIllConditionedLossInAFewPasses() {
        Objective narrow =
                new Quadratic() {
                    @Override
                    public double[] step(
                            double[][] coefficients, List<int[]> items, double[][] gradient) {
                        super.step(coefficients, items, gradient);
                        double[] losses = losses(coefficients);
                        for (int t = 0; t < gradient.length; t++) {
                            gradient[t][1] *= 100;
                        }
                        return losses;
                    }

                    @Override
                    public double[] losses(double[][] coefficients) {
                        double[] losses = super.losses(coefficients);
                        for (int t = 0; t < losses.length; t++) {
                            double off = coefficients[t][1] - (0.4 + t / 10.0);
                            losses[t] += 99 * off * off;
                        }
                        return losses;
                    }
                };
        DivMergeResult result = byLbfgs(narrow, 60);

        assertThat(result.steps()).isLessThan(25);
        assertThat(result.coefficients().of("a")).allSatisfy(c -> assertClose(c, 0.4));
        assertThat(result.coefficients().of("b")).allSatisfy(c -> assertClose(c, 0.5));
        assertThat(result.history().getLast().loss()).isCloseTo(result.meanAfter(), within(0.0));
        assertThat(told).last().asString().startsWith("optimising, loss 0.0");
    }

    @Test
    void limitedMemoryKeepsTheStartWhereNothingIsBetter() {
        DivMergeResult result = byLbfgs(new Rising(), 60);

        assertThat(result.coefficients()).isEqualTo(result.start());
        assertThat(result.meanAfter()).isEqualTo(result.meanBefore());
        assertThat(byLbfgs(new Quadratic(), 0).coefficients()).isEqualTo(result.start());
    }

    private DivMergeResult byLbfgs(Objective objective, int most) {
        List<DivMergeTask> tasks = List.of(task("a"), task("b"));
        Coefficients start =
                Coefficients.uniform(Granularity.LAYER, List.of("a", "b"), GROUPS, START);
        Progress progress = (stage, done, total) -> told.add(stage + " " + done + "/" + total);
        DivMerge method = method(most, 10, 3);
        return new LbfgsDescent(objective, method.id(), method.descent(), tasks, start, progress)
                .run();
    }

    @Test
    void stopsWhereNothingGetsBetter() {
        DivMergeResult result = descend(new Quadratic(), method(10_000, 10, 3));
        assertThat(result.steps()).isLessThan(1000);
        assertThat(result.history().getLast().step()).isEqualTo(result.steps());
    }

    @Test
    void keepsTheBestItSawAndNotTheLast() {
        DivMergeResult result = descend(new Rising(), method(50, 5, 1000));
        assertThat(result.history().getLast().loss()).isGreaterThan(result.meanBefore());
        assertThat(result.coefficients()).isEqualTo(result.start());
        assertThat(result.meanAfter()).isEqualTo(result.meanBefore());
    }

    @Test
    void noStepsLeaveTheStart() {
        DivMergeResult result = descend(new Quadratic(), method(0, 5, 3));
        assertThat(result.coefficients()).isEqualTo(result.start());
        assertThat(result.history()).containsExactly(new LossPoint(0, result.meanBefore()));
    }

    @Test
    void theLossIsMeasuredEverySoManyStepsAndAtTheEnd() {
        assertThat(descend(new Quadratic(), method(12, 5, 1000)).history())
                .extracting(LossPoint::step)
                .containsExactly(0, 5, 10, 12);
    }

    @Test
    void countsPassesForwardsAndTwoMoreForOneBackwards() {
        DivMergeResult result = descend(new Quadratic(), method(12, 5, 1000));
        int tasks = 2;
        assertThat(result.passes()).isEqualTo(12 * tasks * 3 + 4 * tasks);
        assertThat(byLbfgs(new Quadratic(), 1).passes()).isEqualTo(tasks + tasks * 3);
    }

    @Test
    void aLossThatIsNoNumberEndsItWithAReason() {
        Objective exploding =
                new Quadratic() {
                    @Override
                    public double[] losses(double[][] coefficients) {
                        double[] losses = super.losses(coefficients);
                        losses[0] = coefficients[0][0] == START ? losses[0] : Double.NaN;
                        return losses;
                    }
                };
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> descend(exploding, method(10, 5, 1000)));
        assertThat(refused.faults()).extracting("code").containsExactly(FailureCode.MERGE_FAILED);
        assertThat(refused).hasMessageContaining("the loss became NaN after 5 steps");
    }

    @Test
    void everyStepIsToldWithItsLoss() {
        descend(new Quadratic(), method(4, 2, 1000));
        assertThat(told).hasSize(4);
        assertThat(told.getLast()).startsWith("optimising, loss 0.0").endsWith("4/4");
    }

    private static void assertClose(double actual, double expected) {
        assertThat(actual).isCloseTo(expected, within(1e-3));
    }

    private DivMergeResult descend(Objective objective, DivMerge method) {
        List<DivMergeTask> tasks = List.of(task("a"), task("b"));
        Coefficients start =
                Coefficients.uniform(Granularity.LAYER, List.of("a", "b"), GROUPS, START);
        Progress progress = (stage, done, total) -> told.add(stage + " " + done + "/" + total);
        return new Descent(objective, method, tasks, start, Pace.whole(method.descent()), progress)
                .run();
    }

    private static DivMerge method(int steps, int every, int patience) {
        return new DivMerge(
                new DescentSettings(
                        Granularity.LAYER,
                        0.01,
                        Decay.NONE,
                        1,
                        steps,
                        0,
                        1,
                        every,
                        patience,
                        0.01,
                        1,
                        1),
                Divergence.JS,
                Solver.ADAM,
                0);
    }

    private static DivMergeTask task(String name) {
        CalibrationInputs one =
                new CalibrationInputs() {
                    @Override
                    public int size() {
                        return 1;
                    }

                    @Override
                    public int length(int item) {
                        return 1;
                    }

                    @Override
                    public Batch batch(int... items) {
                        return new Batch(1, 1, new long[1], new long[1], new long[1]);
                    }

                    @Override
                    public List<int[]> byLength(int rows) {
                        return List.of(new int[] {0});
                    }
                };
        return new DivMergeTask(name, null, one, new Teacher(1, 2, new float[2]));
    }

    private static class Quadratic implements Objective {
        @Override
        public double[] losses(double[][] coefficients) {
            double[] losses = new double[coefficients.length];
            for (int t = 0; t < losses.length; t++) {
                for (double c : coefficients[t]) {
                    losses[t] += Math.pow(c - 0.4 - t / 10.0, 2);
                }
            }
            return losses;
        }

        @Override
        public double[] step(double[][] coefficients, List<int[]> items, double[][] gradient) {
            for (int t = 0; t < gradient.length; t++) {
                for (int g = 0; g < gradient[t].length; g++) {
                    gradient[t][g] = 2 * (coefficients[t][g] - 0.4 - t / 10.0) / gradient.length;
                }
            }
            return losses(coefficients);
        }
    }

    /// Its gradient points the wrong way, so every step leads upwards.
    private static final class Rising extends Quadratic {
        @Override
        public double[] step(double[][] coefficients, List<int[]> items, double[][] gradient) {
            double[] losses = super.step(coefficients, items, gradient);
            for (double[] row : gradient) {
                for (int g = 0; g < row.length; g++) {
                    row[g] = -row[g];
                }
            }
            return losses;
        }
    }
}
