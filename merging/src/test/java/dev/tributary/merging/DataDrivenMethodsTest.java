package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Statistic;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The methods that learn from running experts, held to plain programs for their formulas and to
/// what must hold whatever the inputs were.
class DataDrivenMethodsTest {
    private static final String LINEAR = "layer.dense.weight";
    private static final String BIAS = "layer.dense.bias";
    private static final String SCALE = "layer.norm.weight";
    private static final String TABLE = "embed.weight";
    private static final int OUT = 9;
    private static final int IN = 6;
    private static final Map<String, List<Long>> SHAPES =
            Map.of(
                    LINEAR, List.of((long) OUT, (long) IN),
                    BIAS, List.of((long) OUT),
                    SCALE, List.of((long) IN),
                    TABLE, List.of(7L, (long) IN));
    private static final List<String> TASKS = List.of("a", "b", "c");

    @TempDir private Path folder;

    private Random random = new Random(5);
    private final Map<String, float[]> base = model(1);

    private Map<String, float[]> model(double scale) {
        Map<String, float[]> model = new LinkedHashMap<>();
        List.of(LINEAR, BIAS, SCALE, TABLE).forEach(name -> model.put(name, values(name, scale)));
        return model;
    }

    private float[] values(String name, double scale) {
        return gaussian((int) elements(name), scale);
    }

    private float[] gaussian(int count, double scale) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (scale * random.nextGaussian());
        }
        return values;
    }

    private static long elements(String name) {
        return Objects.requireNonNull(SHAPES.get(name)).stream().reduce(1L, Math::multiplyExact);
    }

    private static float[] of(Map<String, float[]> model, String name) {
        return Objects.requireNonNull(model.get(name), name);
    }

    private Map<String, float[]> expert() {
        return SmallMerge.sum(base, model(0.3));
    }

    /// Experts with everything any method asks for.
    private StatisticMerge experts(int tokens, String... tasks) {
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base);
        for (String task : tasks) {
            merge.with(task, expert());
            known(merge, task, tokens);
        }
        return merge;
    }

    private void known(StatisticMerge merge, String task, int tokens) {
        merge.rows(task, LINEAR, gaussian(tokens * IN, 1));
        merge.given(Statistic.INPUT_SQUARES, task, SCALE, tokens, positive(IN));
        SHAPES.keySet().stream()
                .sorted()
                .forEach(name -> {
                    int count = (int) elements(name);
                    merge.given(Statistic.FISHER, task, name, tokens, positive(count));
                    merge.given(Statistic.ABSOLUTE_GRADIENT, task, name, tokens, positive(count));
                });
    }

    private float[] positive(int count) {
        float[] values = gaussian(count, 1);
        for (int i = 0; i < count; i++) {
            values[i] *= values[i];
        }
        return values;
    }

    private static MergeMethod method(String id, String... options) {
        Map<String, String> byName = new LinkedHashMap<>();
        for (int i = 0; i < options.length; i += 2) {
            byName.put(options[i], options[i + 1]);
        }
        return MergeMethod.of(id, byName);
    }

    private static MergeMethod whole(String id) {
        return switch (id) {
            case "cat", "tatr" -> method(id, "lambda", "1");
            case "lot" -> method(id, "ridge", "0");
            case "regmean" -> method(id, "ridge", "0", "alpha", "1");
            default -> method(id);
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr"})
    void theOrderOfTheExpertsChangesNoBit(String id) {
        StatisticMerge merge = experts(20, "a", "b", "c");
        Map<String, float[]> straight = merge.merge(method(id), TASKS);
        Map<String, float[]> reversed = merge.merge(method(id), TASKS.reversed());
        straight.forEach(
                (name, values) -> assertThat(of(reversed, name)).as(name).isEqualTo(values));
    }

    /// The planner sorts experts by task, so that only another name brings one to another place.
    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr"})
    void whatAnExpertIsCalledChangesNothing(String id) {
        Map<String, float[]> straight = named(folder.resolve("straight"), TASKS).merge(whole(id));
        Map<String, float[]> others =
                named(folder.resolve("others"), List.of("c", "a", "b")).merge(whole(id));
        straight.forEach((name, values) ->
                assertThat(of(others, name)).as(name).containsExactly(values, within(2e-5f)));
    }

    /// The same three experts under names.
    private StatisticMerge named(Path work, List<String> names) {
        StatisticMerge merge = new StatisticMerge(work, SHAPES, base);
        for (int expert = 0; expert < names.size(); expert++) {
            random = new Random(100 + expert);
            merge.with(names.get(expert), expert());
            known(merge, names.get(expert), 20);
        }
        return merge;
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr"})
    void oneExpertWholeIsThatExpert(String id) {
        Map<String, float[]> expert = expert();
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base).with("a", expert);
        known(merge, "a", 40);
        merge.merge(whole(id))
                .forEach((name, values) ->
                        assertThat(values)
                                .as(name)
                                .containsExactly(of(expert, name), within(2e-5f)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot"})
    void equalExpertsGiveThatExpertWhateverTheirInputs(String id) {
        Map<String, float[]> expert = expert();
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base);
        for (String task : TASKS) {
            merge.with(task, expert);
            known(merge, task, 40);
        }
        merge.merge(whole(id))
                .forEach((name, values) ->
                        assertThat(values)
                                .as(name)
                                .containsExactly(of(expert, name), within(2e-5f)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr"})
    void expertsThatNeverMovedGiveTheBase(String id) {
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base);
        for (String task : TASKS) {
            merge.with(task, base);
            known(merge, task, 4);
        }
        merge.merge(method(id))
                .forEach((name, values) ->
                        assertThat(values).as(name).containsExactly(of(base, name), within(1e-6f)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr"})
    void inputsOfZerosAndAnExpertThatNeverMovedAreNoError(String id) {
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base);
        for (String task : TASKS) {
            merge.with(task, task.equals("b") ? base : expert());
            merge.rows(task, LINEAR, new float[3 * IN]);
            merge.given(Statistic.INPUT_SQUARES, task, SCALE, 3, new float[IN]);
            SHAPES.forEach((name, _) -> {
                float[] zeros = new float[(int) elements(name)];
                merge.given(Statistic.FISHER, task, name, 3, zeros);
                merge.given(Statistic.ABSOLUTE_GRADIENT, task, name, 3, zeros);
            });
        }
        merge.merge(method(id))
                .forEach((name, values) -> {
                    for (float value : values) {
                        assertThat(value).as(name).isFinite();
                    }
                });
    }

    @Test
    void fisherIsTheMeanWeighedByEachEntrysInformation() {
        StatisticMerge merge =
                new StatisticMerge(
                        folder, Map.of(BIAS, List.of(3L)), Map.of(BIAS, new float[] {1, 1, 1}));
        merge.with("a", Map.of(BIAS, new float[] {2, 2, 2})).weight("a", 2);
        merge.with("b", Map.of(BIAS, new float[] {5, 5, 5}));
        merge.given(Statistic.FISHER, "a", BIAS, 8, 1, 3, 0);
        merge.given(Statistic.FISHER, "b", BIAS, 8, 1, 0, 0);

        Map<String, float[]> merged =
                merge.merge(method("fisher", "normalize", "false", "floor", "0"));
        assertThat(of(merged, BIAS)).containsExactly(new float[] {3, 2, 3.5f}, within(1e-6f));
    }

    @Test
    void aSureExpertWeighsAsMuchAsAnUnsureOneWhenNormsAreTakenOut() {
        float[] information = positive(OUT * IN);
        float[] larger = information.clone();
        for (int i = 0; i < larger.length; i++) {
            larger[i] *= 1024;
        }
        float[] other = positive(OUT * IN);
        Map<String, List<Long>> shape = Map.of(LINEAR, List.of((long) OUT, (long) IN));
        Map<String, float[]> only = Map.of(LINEAR, of(base, LINEAR));
        Map<String, float[]> a = Map.of(LINEAR, values(LINEAR, 1));
        Map<String, float[]> b = Map.of(LINEAR, values(LINEAR, 1));
        StatisticMerge merge = new StatisticMerge(folder, shape, only).with("a", a).with("b", b);
        merge.given(Statistic.FISHER, "a", LINEAR, 8, information);
        merge.given(Statistic.FISHER, "b", LINEAR, 8, other);
        StatisticMerge unsure =
                new StatisticMerge(folder.resolve("unsure"), shape, only).with("a", a).with("b", b);
        unsure.given(Statistic.FISHER, "a", LINEAR, 8, larger);
        unsure.given(Statistic.FISHER, "b", LINEAR, 8, other);
        assertThat(of(unsure.merge(method("fisher")), LINEAR))
                .containsExactly(of(merge.merge(method("fisher")), LINEAR), within(1e-6f));
        assertThat(of(unsure.merge(method("fisher", "normalize", "false")), LINEAR))
                .isNotEqualTo(of(merge.merge(method("fisher", "normalize", "false")), LINEAR));
    }

    @Test
    void regMeanAgreesWithTheReferenceForSumsAndForMeans() {
        Golden.Tensors inputs = Golden.tensors("kernels/regmean_inputs.safetensors");
        Golden.Tensors expected = Golden.tensors("kernels/expected.safetensors");
        int out = inputs.get("bias.0").length;
        int in = inputs.get("weight.0").length / out;
        Map<String, List<Long>> shapes =
                Map.of(LINEAR, List.of((long) out, (long) in), BIAS, List.of((long) out));
        StatisticMerge merge =
                new StatisticMerge(
                        folder,
                        shapes,
                        Map.of(LINEAR, gaussian(out * in, 1), BIAS, gaussian(out, 1)));
        for (int t = 0; t < 3; t++) {
            merge.with(
                    TASKS.get(t),
                    Map.of(LINEAR, inputs.get("weight." + t), BIAS, inputs.get("bias." + t)));
            merge.rows(TASKS.get(t), LINEAR, inputs.get("x." + t));
        }
        Map<String, float[]> sums =
                merge.merge(method("regmean", "per_token", "false", "ridge", "0"));
        Map<String, float[]> means = merge.merge(method("regmean", "ridge", "0"));
        assertThat(of(sums, LINEAR))
                .containsExactly(expected.get("regmean.weight.gram_sum"), within(2e-6f));
        assertThat(of(means, LINEAR))
                .containsExactly(expected.get("regmean.weight.gram_mean"), within(2e-6f));
        assertThat(of(means, BIAS)).containsExactly(expected.get("regmean.bias"), within(2e-6f));
    }

    @Test
    void lotIsRegMeanWhereTheInputsSpanTheSpace() {
        StatisticMerge merge = experts(20, "a", "b", "c");
        float[] lot = of(merge.merge(method("lot", "ridge", "0")), LINEAR);
        float[] regMean =
                of(
                        merge.merge(
                                method(
                                        "regmean",
                                        "alpha",
                                        "1",
                                        "per_token",
                                        "false",
                                        "ridge",
                                        "0")),
                        LINEAR);
        assertThat(lot).containsExactly(regMean, within(1e-6f));
    }

    /// Where the inputs do not span the space, RegMean's published form (with the pseudo-inverse)
    /// erases what lies beyond their span; LOT keeps the base's there.
    @Test
    void lotDiffersFromRegMeanByWhatTheBaseHasBeyondTheInputs() {
        Map<String, float[]> inputs = oneInputEach();
        Map<String, Map<String, float[]>> experts = new LinkedHashMap<>();
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base);
        for (String task : TASKS) {
            Map<String, float[]> expert = expert();
            experts.put(task, expert);
            merge.with(task, expert);
            known(merge, task, 1);
            merge.rows(task, LINEAR, of(inputs, task));
        }
        float[] merged = of(merge.merge(method("lot", "ridge", "0")), LINEAR);
        double[][] dual = dual(inputs);
        for (int out = 0; out < OUT; out++) {
            for (int i = 0; i < IN; i++) {
                double regMean = 0;
                double beyond = of(base, LINEAR)[out * IN + i];
                for (int t = 0; t < TASKS.size(); t++) {
                    float[] x = of(inputs, TASKS.get(t));
                    float[] own = of(Objects.requireNonNull(experts.get(TASKS.get(t))), LINEAR);
                    regMean += output(own, out, x) * dual[t][i];
                    beyond -= output(of(base, LINEAR), out, x) * dual[t][i];
                }
                assertThat((double) merged[out * IN + i]).isCloseTo(regMean + beyond, within(1e-5));
            }
        }
    }

    @Test
    void equalExpertsMoveTheBaseInLotOnlyWithinTheSpanOfTheInputs() {
        Map<String, float[]> inputs = oneInputEach();
        Map<String, float[]> expert = expert();
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base);
        for (String task : TASKS) {
            merge.with(task, expert);
            known(merge, task, 1);
            merge.rows(task, LINEAR, of(inputs, task));
        }
        float[] merged = of(merge.merge(method("lot", "ridge", "0")), LINEAR);
        double[][] dual = dual(inputs);
        for (int out = 0; out < OUT; out++) {
            for (int i = 0; i < IN; i++) {
                double expected = of(base, LINEAR)[out * IN + i];
                for (int t = 0; t < TASKS.size(); t++) {
                    float[] x = of(inputs, TASKS.get(t));
                    double moved =
                            output(of(expert, LINEAR), out, x) - output(of(base, LINEAR), out, x);
                    expected += moved * dual[t][i];
                }
                assertThat((double) merged[out * IN + i]).isCloseTo(expected, within(1e-5));
            }
        }
    }

    private Map<String, float[]> oneInputEach() {
        Map<String, float[]> inputs = new LinkedHashMap<>();
        TASKS.forEach(task -> inputs.put(task, gaussian(IN, 1)));
        return inputs;
    }

    private static double output(float[] weights, int out, float[] input) {
        double sum = 0;
        for (int i = 0; i < IN; i++) {
            sum += (double) weights[out * IN + i] * input[i];
        }
        return sum;
    }

    /// `(X X^T)^-1 X`, the inputs as rows of X: a row has the inner product 1 with its own input
    /// and 0 with the others', and lies in their span.
    private static double[][] dual(Map<String, float[]> inputs) {
        int count = TASKS.size();
        double[][] system = new double[count][count + IN];
        for (int t = 0; t < count; t++) {
            float[] x = of(inputs, TASKS.get(t));
            for (int s = 0; s < count; s++) {
                float[] y = of(inputs, TASKS.get(s));
                for (int i = 0; i < IN; i++) {
                    system[t][s] += (double) x[i] * y[i];
                }
            }
            for (int i = 0; i < IN; i++) {
                system[t][count + i] = x[i];
            }
        }
        for (int pivot = 0; pivot < count; pivot++) {
            double factor = system[pivot][pivot];
            system[pivot] = Arrays.stream(system[pivot]).map(v -> v / factor).toArray();
            for (int row = 0; row < count; row++) {
                double times = system[row][pivot];
                for (int column = 0; row != pivot && column < count + IN; column++) {
                    system[row][column] -= times * system[pivot][column];
                }
            }
        }
        double[][] dual = new double[count][];
        for (int t = 0; t < count; t++) {
            dual[t] = Arrays.copyOfRange(system[t], count, count + IN);
        }
        return dual;
    }

    @ParameterizedTest
    @ValueSource(strings = {"0", "0.0001"})
    void whatNoInputSpeaksOfStaysAtTheBase(String ridge) {
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base);
        for (String task : TASKS) {
            merge.with(task, expert());
            known(merge, task, 4);
            float[] rows = gaussian(4 * IN, 1);
            for (int row = 0; row < 4; row++) {
                rows[row * IN + 2] = 0;
                rows[row * IN + 5] = 0;
            }
            merge.rows(task, LINEAR, rows);
        }
        float[] merged = of(merge.merge(method("lot", "ridge", ridge)), LINEAR);
        for (int row = 0; row < OUT; row++) {
            for (int column : new int[] {2, 5}) {
                assertThat(merged[row * IN + column])
                        .isCloseTo(of(base, LINEAR)[row * IN + column], within(1e-6f));
            }
        }
        assertThat(merged[0]).isNotCloseTo(of(base, LINEAR)[0], within(1e-3f));
    }

    /// The outputs of the merged layer on all inputs are nearer to the experts' than those of any
    /// merge beside it.
    @Test
    void lotsOutputsAreNearestToTheExperts() {
        Map<String, float[]> rows = new LinkedHashMap<>();
        Map<String, float[]> weights = new LinkedHashMap<>();
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base);
        for (String task : TASKS) {
            Map<String, float[]> expert = expert();
            merge.with(task, expert);
            known(merge, task, 10);
            rows.put(task, gaussian(10 * IN, 1));
            weights.put(task, of(expert, LINEAR));
            merge.rows(task, LINEAR, of(rows, task));
        }
        float[] merged = of(merge.merge(method("lot", "ridge", "0")), LINEAR);
        double least = drift(rows, weights, merged);
        for (int trial = 0; trial < 50; trial++) {
            float[] beside = merged.clone();
            float[] step = gaussian(beside.length, 0.01);
            for (int i = 0; i < beside.length; i++) {
                beside[i] += step[i];
            }
            assertThat(drift(rows, weights, beside)).isGreaterThan(least);
        }
    }

    private static double drift(
            Map<String, float[]> rows, Map<String, float[]> weights, float[] merged) {
        double drift = 0;
        for (String task : TASKS) {
            float[] x = of(rows, task);
            float[] own = of(weights, task);
            for (int row = 0; row < x.length / IN; row++) {
                for (int out = 0; out < OUT; out++) {
                    double difference = 0;
                    for (int i = 0; i < IN; i++) {
                        difference +=
                                (double) x[row * IN + i]
                                        * (merged[out * IN + i] - own[out * IN + i]);
                    }
                    drift += difference * difference;
                }
            }
        }
        return drift;
    }

    @Test
    void lotWeighsScalesByTheirInputsAndAveragesTheRest() {
        Map<String, List<Long>> shapes = Map.of(SCALE, List.of(3L), BIAS, List.of(1L));
        StatisticMerge merge =
                new StatisticMerge(
                        folder, shapes, Map.of(SCALE, new float[] {1, 1, 1}, BIAS, new float[1]));
        merge.with("a", Map.of(SCALE, new float[] {2, 2, 2}, BIAS, new float[] {1}));
        merge.with("b", Map.of(SCALE, new float[] {5, 5, 5}, BIAS, new float[] {2}));
        merge.given(Statistic.INPUT_SQUARES, "a", SCALE, 9, 1, 3, 0);
        merge.given(Statistic.INPUT_SQUARES, "b", SCALE, 9, 2, 0, 0);
        Map<String, float[]> merged = merge.merge(method("lot", "lambda", "1.5"));
        assertThat(of(merged, SCALE))
                .containsExactly(new float[] {5.5f, 2.5f, 4.75f}, within(1e-6f));
        assertThat(of(merged, BIAS)).containsExactly(new float[] {2.25f}, within(1e-6f));
    }

    @Test
    void catTrimsWhatMovesAnotherTasksFeatures() {
        Map<String, float[]> a = expert();
        Map<String, float[]> b = expert();
        float[] ofA = gaussian(2 * IN, 1);
        float[] ofB = gaussian(2 * IN, 1);
        StatisticMerge merge = new StatisticMerge(folder, SHAPES, base).with("a", a).with("b", b);
        known(merge, "a", 2);
        known(merge, "b", 2);
        merge.rows("a", LINEAR, ofA).rows("b", LINEAR, ofB);
        float[] sum = of(merge.merge(method("cat", "lambda", "1", "basis", "0")), LINEAR);
        float[] trimmed = of(merge.merge(method("cat", "lambda", "1", "balance", "0.5")), LINEAR);
        Map<String, float[]> inputs = Map.of("a", ofA, "b", ofB, "c", new float[0]);
        Map<String, float[]> wanted =
                Map.of("a", of(a, LINEAR), "b", of(b, LINEAR), "c", of(base, LINEAR));
        assertThat(drift(inputs, wanted, trimmed)).isLessThan(0.7 * drift(inputs, wanted, sum));
    }

    /// As many inputs as the layer is wide: there is no direction that moves the others' alone.
    @Test
    void catLeavesEverythingWhereTrimmingWouldCostMoreThanItGains() {
        StatisticMerge merge = experts(20, "a", "b");
        Map<String, float[]> kept = merge.merge(method("cat", "balance", "1e9"));
        Map<String, float[]> sum = merge.merge(method("task_arithmetic", "lambda", "0.4"));
        assertThat(of(kept, LINEAR)).containsExactly(of(sum, LINEAR), within(1e-5f));
        assertThat(of(kept, SCALE)).containsExactly(of(sum, SCALE), within(1e-6f));
        assertThat(of(kept, TABLE)).containsExactly(of(sum, TABLE), within(1e-6f));
    }

    @Test
    void catZeroesTheBiasesInWhichTheOthersAreLargest() {
        Map<String, List<Long>> shapes = Map.of(BIAS, List.of(4L));
        StatisticMerge merge =
                new StatisticMerge(folder, shapes, Map.of(BIAS, new float[] {1, 1, 1, 1}));
        merge.with("a", Map.of(BIAS, new float[] {4, 2, 1, 1}));
        merge.with("b", Map.of(BIAS, new float[] {1, 1, 3, 9}));
        float[] merged = of(merge.merge(method("cat", "lambda", "1", "basis", "1")), BIAS);
        assertThat(merged).containsExactly(new float[] {1, 2, 3, 1}, within(1e-6f));
    }

    @Test
    void aTrimmedTaskVectorCanHaveItsNormBack() {
        StatisticMerge merge = experts(3, "a", "b");
        float[] plain = of(merge.merge(method("cat", "lambda", "1")), LINEAR);
        float[] rescaled = of(merge.merge(method("cat", "lambda", "1", "rescale", "true")), LINEAR);
        assertThat(distance(rescaled, of(base, LINEAR)))
                .isGreaterThan(distance(plain, of(base, LINEAR)));
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void tatrLeavesOutTheEntriesOfTheLargestConflict(boolean zeroShot) {
        int count = 5000;
        Map<String, List<Long>> shapes = Map.of(LINEAR, List.of(50L, 100L));
        Map<String, float[]> start = Map.of(LINEAR, gaussian(count, 1));
        StatisticMerge merge = new StatisticMerge(folder, shapes, start);
        float[][] vectors = new float[3][];
        float[][] gradients = new float[3][];
        for (int t = 0; t < 3; t++) {
            Map<String, float[]> expert =
                    SmallMerge.sum(start, Map.of(LINEAR, gaussian(count, 0.1)));
            merge.with(TASKS.get(t), expert);
            vectors[t] = of(expert, LINEAR).clone();
            for (int i = 0; i < count; i++) {
                vectors[t][i] -= of(start, LINEAR)[i];
            }
            gradients[t] = zeroShot ? vectors[t] : positive(count);
            merge.given(Statistic.ABSOLUTE_GRADIENT, TASKS.get(t), LINEAR, 9, gradients[t]);
        }
        double[] conflict = new double[count];
        for (int p = 0; p < count; p++) {
            for (int i = 0; i < 3; i++) {
                for (int j = 0; j < 3; j++) {
                    if (i != j) {
                        conflict[p] += (double) Math.abs(gradients[j][p]) * Math.abs(vectors[i][p]);
                    }
                }
            }
        }
        double[] sorted = conflict.clone();
        Arrays.sort(sorted);
        double cut = sorted[count - 50];

        float[] merged =
                of(merge.merge(method("tatr", "zero_shot", Boolean.toString(zeroShot))), LINEAR);

        for (int p = 0; p < count; p++) {
            double sum = (double) vectors[0][p] + vectors[1][p] + vectors[2][p];
            double expected = of(start, LINEAR)[p] + (conflict[p] < cut ? 0.3 * sum : 0);
            assertThat((double) merged[p]).as("entry %d", p).isCloseTo(expected, within(1e-6));
        }
    }

    @Test
    void tatrCountsConflictsOverTheWholeModel() {
        Map<String, List<Long>> shapes = Map.of("x", List.of(10L), "y", List.of(10L));
        Map<String, float[]> zeros = Map.of("x", new float[10], "y", new float[10]);
        StatisticMerge merge = new StatisticMerge(folder, shapes, zeros);
        for (String task : List.of("a", "b")) {
            merge.with(task, Map.of("x", filled(1), "y", filled(1)));
            merge.given(Statistic.ABSOLUTE_GRADIENT, task, "x", 9, filled(5));
            merge.given(Statistic.ABSOLUTE_GRADIENT, task, "y", 9, filled(1));
        }
        Map<String, float[]> merged = merge.merge(method("tatr", "removed", "0.5", "lambda", "1"));
        assertThat(of(merged, "x")).containsOnly(0f);
        assertThat(of(merged, "y")).containsOnly(2f);
    }

    private static float[] filled(float value) {
        float[] values = new float[10];
        Arrays.fill(values, value);
        return values;
    }
}
