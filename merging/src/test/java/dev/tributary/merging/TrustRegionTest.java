package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.merging.method.MethodEntry;
import dev.tributary.merging.method.Statistic;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Methods within a trust region, held to the same methods over experts in which the entries of the
/// largest conflict were given the base's values by a plain program.
class TrustRegionTest {
    private static final String WEIGHT = "layer.up.weight";
    private static final Map<String, List<Long>> SHAPES =
            Map.of(WEIGHT, List.of(150L, 250L), "layer.up.bias", List.of(1500L));
    private static final List<String> TASKS = List.of("a", "b", "c");
    private static final double REMOVED = 0.05;

    @TempDir private Path folder;

    private final Random random = new Random(11);
    private final Map<String, float[]> base = model(1);
    private final Map<String, Map<String, float[]>> experts = new LinkedHashMap<>();
    private final Map<String, Map<String, float[]>> gradients = new LinkedHashMap<>();

    TrustRegionTest() {
        for (String task : TASKS) {
            experts.put(task, SmallMerge.sum(base, model(0.1)));
            gradients.put(task, magnitudes(model(1)));
        }
    }

    static Stream<MethodEntry<?>> methods() {
        return MethodCatalogue.entries().stream().filter(MethodEntry::takesTrustRegion);
    }

    static Stream<Arguments> methodsAndSensitivities() {
        return methods()
                .flatMap(entry ->
                        Stream.of("zero_shot", "predicted", "given")
                                .map(sensitivity -> Arguments.of(entry.id(), sensitivity)));
    }

    @ParameterizedTest
    @MethodSource("methodsAndSensitivities")
    void aMethodMergesWhatIsLeftOfTheTaskVectors(String id, String sensitivity) {
        Map<String, boolean[]> left = largestConflicts(sensitivity.equals("zero_shot"));
        Map<String, float[]> within = merge(region(id, sensitivity, REMOVED), experts);
        Map<String, float[]> plain = merge(MergeMethod.of(id, Map.of()), without(left));
        within.forEach((name, values) ->
                assertThat(values)
                        .as(name)
                        .isEqualTo(of(plain, name))
                        .isNotEqualTo(of(base, name)));
        Map<String, float[]> everywhere = merge(MergeMethod.of(id, Map.of()), experts);
        assertThat(of(within, WEIGHT)).isNotEqualTo(of(everywhere, WEIGHT));
    }

    @ParameterizedTest
    @MethodSource("methods")
    void aRegionThatLeavesNothingOutChangesNoBit(MethodEntry<?> entry) {
        Map<String, float[]> within = merge(region(entry.id(), "zero_shot", 0), experts);
        Map<String, float[]> plain = merge(MergeMethod.of(entry.id(), Map.of()), experts);
        within.forEach((name, values) -> assertThat(values).as(name).isEqualTo(of(plain, name)));
    }

    @Test
    void taskArithmeticInATrustRegionIsTatr() {
        Map<String, float[]> tatr =
                merge(
                        MergeMethod.of("tatr", Map.of("zero_shot", "true", "removed", "0.05")),
                        experts);
        Map<String, float[]> within =
                merge(region("task_arithmetic", "zero_shot", REMOVED), experts);
        tatr.forEach((name, values) -> assertThat(values).as(name).isEqualTo(of(within, name)));
    }

    @Test
    void oneExpertAloneIsInNobodysWay() {
        Map<String, Map<String, float[]>> alone = Map.of("a", of(experts, "a"));
        Map<String, float[]> within = merge(region("task_arithmetic", "given", REMOVED), alone);
        merge(MergeMethod.of("task_arithmetic", Map.of()), alone)
                .forEach((name, values) -> assertThat(of(within, name)).as(name).isEqualTo(values));
    }

    private static MergeMethod region(String id, String sensitivity, double removed) {
        return MergeMethod.of(
                id,
                Map.of(
                        "trust_region",
                        sensitivity,
                        "trust_region_removed",
                        Double.toString(removed)));
    }

    private Map<String, float[]> merge(
            MergeMethod method, Map<String, Map<String, float[]>> merged) {
        StatisticMerge merge =
                new StatisticMerge(
                        folder.resolve(Integer.toString(random.nextInt())), SHAPES, base);
        merged.forEach((task, expert) -> {
            merge.with(task, expert);
            of(gradients, task)
                    .forEach((name, values) ->
                            merge.given(Statistic.ABSOLUTE_GRADIENT, task, name, 9, values));
        });
        return merge.merge(method);
    }

    /// By a sort of `sum_(i != j) g_j |tau_i|` over all tensors.
    private Map<String, boolean[]> largestConflicts(boolean zeroShot) {
        Map<String, double[]> conflicts = new HashMap<>();
        base.forEach((name, start) -> {
            double[] conflict = new double[start.length];
            for (String i : TASKS) {
                float[] moved = moved(i, name);
                for (String j : TASKS) {
                    float[] sensitivity = zeroShot ? moved(j, name) : of(of(gradients, j), name);
                    for (int p = 0; p < start.length && !i.equals(j); p++) {
                        conflict[p] += (double) sensitivity[p] * moved[p];
                    }
                }
            }
            conflicts.put(name, conflict);
        });
        double[] sorted =
                conflicts.values().stream().flatMapToDouble(Arrays::stream).sorted().toArray();
        double cut = sorted[sorted.length - (int) (REMOVED * sorted.length)];
        Map<String, boolean[]> largest = new HashMap<>();
        conflicts.forEach((name, conflict) -> {
            boolean[] out = new boolean[conflict.length];
            for (int p = 0; p < out.length; p++) {
                out[p] = conflict[p] >= cut;
            }
            largest.put(name, out);
        });
        return largest;
    }

    private float[] moved(String task, String name) {
        float[] moved = of(of(experts, task), name).clone();
        for (int p = 0; p < moved.length; p++) {
            moved[p] = Math.abs(moved[p] - of(base, name)[p]);
        }
        return moved;
    }

    private Map<String, Map<String, float[]>> without(Map<String, boolean[]> left) {
        Map<String, Map<String, float[]>> masked = new LinkedHashMap<>();
        experts.forEach((task, expert) -> {
            Map<String, float[]> own = new LinkedHashMap<>();
            expert.forEach((name, values) -> {
                float[] copy = values.clone();
                boolean[] out = of(left, name);
                for (int p = 0; p < copy.length; p++) {
                    copy[p] = out[p] ? of(base, name)[p] : copy[p];
                }
                own.put(name, copy);
            });
            masked.put(task, own);
        });
        return masked;
    }

    private Map<String, float[]> model(double scale) {
        Map<String, float[]> model = new LinkedHashMap<>();
        SHAPES.keySet().stream()
                .sorted()
                .forEach(name -> {
                    float[] values =
                            new float
                                    [(int)
                                            of(SHAPES, name).stream()
                                                    .mapToLong(Long::longValue)
                                                    .reduce(1, Math::multiplyExact)];
                    for (int i = 0; i < values.length; i++) {
                        values[i] = (float) (scale * random.nextGaussian());
                    }
                    model.put(name, values);
                });
        return model;
    }

    private static Map<String, float[]> magnitudes(Map<String, float[]> model) {
        model.values()
                .forEach(values -> {
                    for (int i = 0; i < values.length; i++) {
                        values[i] = Math.abs(values[i]);
                    }
                });
        return model;
    }

    private static <T> T of(Map<String, T> map, String name) {
        return Objects.requireNonNull(map.get(name), name);
    }
}
