package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.merging.method.MergeMethod;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The methods against the plainest program for their formulas, in float64 and with sorts.
class ReferenceMergeTest {
    private static final String TENSOR = "model.embed_tokens.weight";
    private static final List<String> TASKS = List.of("a", "b", "c");
    private static final double[] WEIGHTS = {1.0, 0.5, 0.8};

    private final Map<String, float[]> base = SmallMerge.random(1, 1);
    private final double[] theta = doubles(base);
    private final double[][] tau = new double[3][];

    @TempDir private Path folder;
    private SmallMerge merge = new SmallMerge(Path.of("unused"), base);

    @BeforeEach
    void experts() {
        merge = new SmallMerge(folder, base);
        for (int t = 0; t < 3; t++) {
            Map<String, float[]> expert = SmallMerge.sum(base, SmallMerge.random(10 + t, 0.1));
            merge.with(TASKS.get(t), expert);
            tau[t] = difference(doubles(expert), theta);
        }
    }

    private void weighted() {
        for (int t = 0; t < 3; t++) {
            merge.setting(TASKS.get(t), "weight", Double.toString(WEIGHTS[t]));
        }
    }

    @Test
    void breadcrumbsDropTheLargestAndTheSmallest() {
        double[] sum = new double[theta.length];
        for (int t = 0; t < 3; t++) {
            add(sum, 0.3 * WEIGHTS[t], crumbs(tau[t], 0.6, 0.1));
        }
        weighted();
        assertMerged(
                MergeMethod.of("breadcrumbs", Map.of("density", "0.6", "gamma", "0.1")),
                plus(theta, sum));
    }

    @Test
    void breadcrumbsElectSignsLikeTies() {
        double[][] kept = new double[3][];
        for (int t = 0; t < 3; t++) {
            kept[t] = crumbs(tau[t], 0.6, 0.1);
        }
        weighted();
        assertMerged(
                MergeMethod.of(
                        "breadcrumbs_ties",
                        Map.of("density", "0.6", "gamma", "0.1", "normalize", "true")),
                plus(theta, scaled(0.3, elected(kept))));
    }

    /// TIES from four running sums an entry, which is how a merge could be updated in place.
    @Test
    void tiesFromFourSumsIsTiesFromAllTaskVectors() {
        double[] merged = new double[theta.length];
        double[] plus = new double[theta.length];
        double[] minus = new double[theta.length];
        double[] plusWeights = new double[theta.length];
        double[] minusWeights = new double[theta.length];
        for (int t = 0; t < 3; t++) {
            double[] kept = crumbs(tau[t], 0.2, 0);
            for (int i = 0; i < kept.length; i++) {
                if (kept[i] > 0) {
                    plus[i] += WEIGHTS[t] * kept[i];
                    plusWeights[i] += WEIGHTS[t];
                } else if (kept[i] < 0) {
                    minus[i] += WEIGHTS[t] * kept[i];
                    minusWeights[i] += WEIGHTS[t];
                }
            }
        }
        for (int i = 0; i < merged.length; i++) {
            boolean up = plus[i] + minus[i] >= 0;
            double weights = up ? plusWeights[i] : minusWeights[i];
            merged[i] = weights == 0 ? 0 : (up ? plus[i] : minus[i]) / weights;
        }
        weighted();
        assertMerged(
                MergeMethod.of("ties", Map.of("density", "0.2", "trim", "per_tensor")),
                plus(theta, merged));
    }

    @Test
    void sceSelectsCalculatesAndErases() {
        int n = theta.length;
        double[] variance = new double[n];
        for (int i = 0; i < n; i++) {
            double mean = (tau[0][i] + tau[1][i] + tau[2][i]) / 3;
            for (int t = 0; t < 3; t++) {
                variance[i] += Math.pow(tau[t][i] - mean, 2) / 3;
            }
        }
        double[] selected = crumbs(variance, 0.25, 0);
        double[] squares = new double[3];
        double[][] kept = new double[3][n];
        for (int t = 0; t < 3; t++) {
            for (int i = 0; i < n; i++) {
                kept[t][i] = selected[i] == 0 ? 0 : tau[t][i];
                squares[t] += kept[t][i] * kept[t][i];
            }
        }
        double all = Arrays.stream(squares).sum();
        double[] merged = new double[n];
        for (int i = 0; i < n; i++) {
            double mass = kept[0][i] + kept[1][i] + kept[2][i];
            double sum = 0;
            double weights = 0;
            for (int t = 0; t < 3; t++) {
                if (mass >= 0 ? kept[t][i] > 0 : kept[t][i] < 0) {
                    sum += squares[t] / all * kept[t][i];
                    weights += squares[t] / all;
                }
            }
            merged[i] = weights == 0 ? 0 : sum / weights;
        }
        assertMerged(MergeMethod.of("sce", Map.of("select_topk", "0.25")), plus(theta, merged));
    }

    /// Its three steps, written out: tangent space at the mean direction, mean there, and back.
    @Test
    void multiSlerpIsTheMeanLengthInTheMeanDirection() {
        double sum = Arrays.stream(WEIGHTS).sum();
        double[] mean = new double[theta.length];
        double length = 0;
        for (int t = 0; t < 3; t++) {
            add(mean, WEIGHTS[t] / sum / norm(tau[t]), tau[t]);
            length += WEIGHTS[t] / sum * norm(tau[t]);
        }
        double[] direction = scaled(1 / norm(mean), mean);
        double[] tangent = new double[theta.length];
        for (int t = 0; t < 3; t++) {
            double[] unit = scaled(1 / norm(tau[t]), tau[t]);
            add(tangent, WEIGHTS[t] / sum, unit);
            add(tangent, -WEIGHTS[t] / sum * dot(unit, direction), direction);
        }
        double size = norm(tangent) + 1e-8;
        double[] merged = scaled(length * Math.cos(size), direction);
        add(merged, length * Math.sin(size) / size, tangent);
        weighted();
        assertMerged(MergeMethod.of("multislerp", Map.of()), plus(theta, merged));
    }

    @Test
    void theKarcherMeanIsWhereTheTangentsCancel() {
        Map<String, float[]> merged =
                merge.merge(
                        MergeMethod.of(
                                "karcher",
                                Map.of("center", "base", "max_iter", "200", "tol", "1e-9")));
        double[] mean = difference(doubles(merged), theta);
        double length = (norm(tau[0]) + norm(tau[1]) + norm(tau[2])) / 3;
        assertThat(norm(mean)).isCloseTo(length, within(1e-5));
        double[] direction = scaled(1 / norm(mean), mean);
        double[] tangent = new double[theta.length];
        for (int t = 0; t < 3; t++) {
            double[] unit = scaled(1 / norm(tau[t]), tau[t]);
            double cosine = dot(unit, direction);
            double angle = Math.acos(cosine);
            add(tangent, angle / Math.sin(angle), unit);
            add(tangent, -angle / Math.sin(angle) * cosine, direction);
        }
        assertThat(norm(tangent)).isLessThan(1e-5);
    }

    @Test
    void nuSlerpMovesOnTheSphereOfTaskVectors() {
        SmallMerge two = new SmallMerge(folder.resolve("two"), base);
        for (int t = 0; t < 2; t++) {
            two.with(TASKS.get(t), SmallMerge.sum(base, SmallMerge.random(10 + t, 0.1)));
            two.setting(TASKS.get(t), "weight", t == 0 ? "3" : "1");
        }
        double angle = Math.acos(dot(tau[0], tau[1]) / norm(tau[0]) / norm(tau[1]));
        double[] merged = scaled(Math.sin(0.75 * angle) / Math.sin(angle), tau[0]);
        add(merged, Math.sin(0.25 * angle) / Math.sin(angle), tau[1]);
        float[] values =
                Objects.requireNonNull(two.merge(MergeMethod.of("nuslerp", Map.of())).get(TENSOR));
        assertClose(values, plus(theta, merged));
    }

    @Test
    void dareKeepsItsShareAndScalesItUp() {
        Map<String, float[]> zero = SmallMerge.random(1, 0);
        float[] ones = new float[40 * 8];
        Arrays.fill(ones, 1f);
        Map<String, float[]> expert = SmallMerge.random(1, 0);
        expert.put(TENSOR, ones);
        SmallMerge one = new SmallMerge(folder.resolve("dare"), zero).with("a", expert);
        for (String id : List.of("dare_linear", "dare_ties")) {
            Map<String, String> options = Map.of("density", "0.25", "lambda", "1");
            float[] merged = of(one.merge(MergeMethod.of(id, options)));
            for (float value : merged) {
                assertThat(value).isIn(0f, 4f);
            }
            assertThat(mean(merged)).isCloseTo(1, within(0.3));
        }
    }

    /// A list runs from the embeddings and the first layer to the last layer and what follows it.
    @Test
    void aListOfValuesIsInterpolatedOverTheLayers() {
        Map<String, float[]> merged =
                merge.merge(MergeMethod.of("task_arithmetic", Map.of("lambda", "[0, 1]")));
        assertScaled(
                merged,
                name ->
                        name.contains("embed")
                                ? 0
                                : name.contains("scale") ? 1 : layer(name) / 2.0);
    }

    @Test
    void filtersChooseByTheNamesOfTensors() {
        Map<String, float[]> merged =
                merge.merge(
                        MergeMethod.of(
                                "task_arithmetic",
                                Map.of(
                                        "lambda",
                                        "[{\"filter\": \"up\", \"value\": [1, 0.5, 0]},"
                                                + " {\"value\": 0.25}]",
                                        "include",
                                        "model.layers.*")));
        assertScaled(
                merged,
                name ->
                        !name.contains("layers")
                                ? 0
                                : name.contains("up") ? 1 - layer(name) / 2.0 : 0.25);
    }

    /// An expert's own weights, which run over the layers, too.
    @Test
    void weightsOfAnExpertMayBeListsAndFilters() {
        merge.setting("a", "weight", "[1, 0]");
        merge.setting("b", "weight", "[{\"filter\": \"down\", \"value\": 1}, {\"value\": 0}]");
        merge.setting("c", "weight", "0");
        Map<String, float[]> merged =
                merge.merge(MergeMethod.of("task_arithmetic", Map.of("lambda", "1")));
        for (int layer = 0; layer < 3; layer++) {
            String name = "model.layers.%d.down.weight".formatted(layer);
            float[] values = of(merged, name);
            float[] from = of(base, name);
            float[] first = of(SmallMerge.random(10, 0.1), name);
            float[] second = of(SmallMerge.random(11, 0.1), name);
            for (int i = 0; i < values.length; i++) {
                assertThat(values[i])
                        .isCloseTo(
                                from[i] + (1 - layer / 2f) * first[i] + second[i], within(1e-5f));
            }
        }
    }

    private static int layer(String name) {
        return Integer.parseInt(name.replaceFirst(".*layers\\.(\\d).*", "$1"));
    }

    /// Every tensor is the base and a multiple of the sum of all task vectors.
    private void assertScaled(Map<String, float[]> merged, ToDoubleFunction<String> scale) {
        merged.forEach((name, values) -> {
            float[] from = of(base, name);
            for (int i = 0; i < values.length; i++) {
                double sum = 0;
                for (int t = 0; t < 3; t++) {
                    sum += of(SmallMerge.random(10 + t, 0.1), name)[i];
                }
                assertThat((double) values[i])
                        .as(name)
                        .isCloseTo(from[i] + scale.applyAsDouble(name) * sum, within(1e-5));
            }
        });
    }

    private static float[] of(Map<String, float[]> model, String name) {
        return Objects.requireNonNull(model.get(name), name);
    }

    @Test
    void anotherSeedAnotherTaskOrAnotherTensorIsAnotherMask() {
        MergeMethod first = MergeMethod.of("dare_linear", Map.of("seed", "1"));
        MergeMethod second = MergeMethod.of("dare_linear", Map.of("seed", "2"));
        assertThat(of(merge.merge(first))).isNotEqualTo(of(merge.merge(second)));
        Map<String, float[]> expert = SmallMerge.sum(base, SmallMerge.random(10, 0.1));
        SmallMerge asA = new SmallMerge(folder.resolve("x"), base).with("a", expert);
        SmallMerge asB = new SmallMerge(folder.resolve("y"), base).with("b", expert);
        assertThat(of(asA.merge(first))).isNotEqualTo(of(asB.merge(first)));
        Map<String, float[]> ones = SmallMerge.random(1, 0);
        ones.values().forEach(values -> Arrays.fill(values, 1));
        Map<String, float[]> thinned =
                new SmallMerge(folder.resolve("z"), SmallMerge.random(1, 0))
                        .with("a", ones)
                        .merge(first);
        assertThat(thinned.get("model.layers.0.up.weight"))
                .isNotEqualTo(thinned.get("model.layers.1.up.weight"));
    }

    @Test
    void aMaskDoesNotChangeWhenAnotherExpertArrives() {
        MergeMethod method = MergeMethod.of("dare_linear", Map.of("lambda", "1"));
        float[] all = of(merge.merge(method, TASKS));
        float[] two = of(merge.merge(method, List.of("a", "b")));
        float[] third = of(merge.merge(method, List.of("c")));
        for (int i = 0; i < all.length; i++) {
            assertThat((double) all[i]).isCloseTo(two[i] + third[i] - theta[i], within(1e-5));
        }
    }

    @Test
    void dellaKeepsLargeEntriesMoreOften() {
        Map<String, float[]> zero = SmallMerge.random(1, 0);
        float[] values = new float[40 * 8];
        for (int i = 0; i < values.length; i++) {
            values[i] = 1 + i % 8;
        }
        Map<String, float[]> expert = SmallMerge.random(1, 0);
        expert.put(TENSOR, values);
        int[] kept = new int[8];
        int runs = 60;
        for (int seed = 0; seed < runs; seed++) {
            SmallMerge one = new SmallMerge(folder.resolve("d" + seed), zero).with("a", expert);
            Map<String, String> options =
                    Map.of(
                            "density", "0.5",
                            "epsilon", "0.4",
                            "lambda", "1",
                            "seed", Integer.toString(seed));
            float[] merged = of(one.merge(MergeMethod.of("della_linear", options)));
            for (int i = 0; i < merged.length; i++) {
                if (merged[i] != 0) {
                    kept[i % 8]++;
                    double chance = 0.1 + 0.8 * (i % 8) / 7.0;
                    assertThat((double) merged[i]).isCloseTo(values[i] / chance, within(1e-4 * 80));
                }
            }
        }
        for (int rank = 0; rank < 8; rank++) {
            assertThat(kept[rank] / (40.0 * runs)).isCloseTo(0.1 + 0.8 * rank / 7, within(0.04));
        }
    }

    private static double[] crumbs(double[] vector, double density, double gamma) {
        int n = vector.length;
        int wanted = (int) (density * n);
        int outliers = Math.min((int) (gamma * n), n - wanted);
        List<Integer> order =
                IntStream.range(0, n)
                        .boxed()
                        .sorted(Comparator.comparingDouble(i -> -Math.abs(vector[i])))
                        .toList();
        double[] kept = new double[n];
        order.subList(outliers, outliers + wanted).forEach(i -> kept[i] = vector[i]);
        return kept;
    }

    private static double[] elected(double[][] kept) {
        double[] merged = new double[kept[0].length];
        for (int i = 0; i < merged.length; i++) {
            double mass = 0;
            for (int t = 0; t < 3; t++) {
                mass += WEIGHTS[t] * kept[t][i];
            }
            double sum = 0;
            double weights = 0;
            for (int t = 0; t < 3; t++) {
                if (mass >= 0 ? kept[t][i] > 0 : kept[t][i] < 0) {
                    sum += WEIGHTS[t] * kept[t][i];
                    weights += WEIGHTS[t];
                }
            }
            merged[i] = weights == 0 ? 0 : sum / weights;
        }
        return merged;
    }

    private void assertMerged(MergeMethod method, double[] wanted) {
        assertClose(of(merge.merge(method)), wanted);
    }

    private static void assertClose(float[] merged, double[] wanted) {
        for (int i = 0; i < wanted.length; i++) {
            assertThat((double) merged[i]).as("element %d", i).isCloseTo(wanted[i], within(2e-6));
        }
    }

    private static float[] of(Map<String, float[]> values) {
        return Objects.requireNonNull(values.get(TENSOR));
    }

    private static double mean(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    private static double[] doubles(Map<String, float[]> values) {
        float[] one = of(values);
        return IntStream.range(0, one.length).mapToDouble(i -> one[i]).toArray();
    }

    private static double[] difference(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] - b[i]).toArray();
    }

    private static double[] plus(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
    }

    private static double[] scaled(double factor, double[] a) {
        return Arrays.stream(a).map(v -> v * factor).toArray();
    }

    private static void add(double[] sum, double factor, double[] a) {
        for (int i = 0; i < sum.length; i++) {
            sum[i] += factor * a[i];
        }
    }

    private static double dot(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] * b[i]).sum();
    }

    private static double norm(double[] a) {
        return Math.sqrt(dot(a, a));
    }
}
