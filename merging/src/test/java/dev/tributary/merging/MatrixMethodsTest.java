package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.merging.method.MergeMethod;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What the methods that decompose matrices promise, checked on the merged matrices.
class MatrixMethodsTest {
    private static final String WIDE = "model.layers.0.down.weight";
    private static final String TALL = "model.layers.0.up.weight";
    private static final String NORM = "model.layers.0.norm.weight";
    private static final List<String> TASKS = List.of("a", "b", "c");

    private final Map<String, float[]> base = SmallMerge.random(1, 1);
    private final Map<String, Map<String, float[]>> taskVectors = new LinkedHashMap<>();

    @TempDir private Path folder;

    private SmallMerge experts(int count) {
        SmallMerge merge = new SmallMerge(folder.resolve("experts" + count), base);
        for (String task : TASKS.subList(0, count)) {
            Map<String, float[]> taskVector = SmallMerge.random(task.hashCode(), 0.1);
            taskVectors.put(task, taskVector);
            merge.with(task, SmallMerge.sum(base, taskVector));
        }
        return merge;
    }

    private double[] merged(SmallMerge merge, MergeMethod method, String tensor) {
        float[] values = Objects.requireNonNull(merge.merge(method).get(tensor));
        float[] from = Objects.requireNonNull(base.get(tensor));
        double[] difference = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            difference[i] = values[i] - from[i];
        }
        return difference;
    }

    private double[] taskVector(String task, String tensor) {
        float[] values =
                Objects.requireNonNull(Objects.requireNonNull(taskVectors.get(task)).get(tensor));
        double[] doubles = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    @ParameterizedTest
    @ValueSource(strings = {"iso_c", "iso_cts"})
    void anIsotropicMergeIsAMultipleOfAnOrthonormalMatrix(String id) {
        double[] m = merged(experts(3), MergeMethod.of(id, Map.of()), WIDE);
        double[][] products = rowProducts(m, 8, 12);
        double square = products[0][0];
        assertThat(square).isPositive();
        for (int i = 0; i < 8; i++) {
            for (int j = 0; j < 8; j++) {
                assertThat(products[i][j]).isCloseTo(i == j ? square : 0, within(1e-4 * square));
            }
        }
    }

    @Test
    void isoKeepsTheSumOfTheSingularValues() {
        SmallMerge one = experts(1);
        double[] m = merged(one, MergeMethod.of("iso_c", Map.of()), TALL);
        double[] tau = taskVector("a", TALL);
        double inner = 0;
        for (int i = 0; i < m.length; i++) {
            inner += m[i] * tau[i];
        }
        double square = rowProducts(transposed(m, 12, 8), 8, 12)[0][0];
        // With tau = U S V^T and m = s U V^T the inner product is s times the sum of S, and s is
        // its mean.
        assertThat(inner).isCloseTo(8 * square, within(1e-4 * inner));
    }

    @Test
    void tasksInDifferentDirectionsAddUpInTsv() {
        Map<String, float[]> first = SmallMerge.random(1, 0);
        Map<String, float[]> second = SmallMerge.random(1, 0);
        Objects.requireNonNull(first.get(WIDE))[0] = 0.5f;
        Objects.requireNonNull(second.get(WIDE))[13] = -0.25f;
        SmallMerge merge =
                new SmallMerge(folder.resolve("apart"), base)
                        .with("a", SmallMerge.sum(base, first))
                        .with("b", SmallMerge.sum(base, second));
        double[] m = merged(merge, MergeMethod.of("tsv_m", Map.of()), WIDE);
        for (int i = 0; i < m.length; i++) {
            double wanted = i == 0 ? 0.5 : i == 13 ? -0.25 : 0;
            assertThat(m[i]).isCloseTo(wanted, within(1e-5));
        }
    }

    @Test
    void wudiIsWhereTheGradientVanishes() {
        MergeMethod exact = MergeMethod.of("wudi", Map.of("ridge", "1e-9"));
        for (String tensor : List.of(WIDE, TALL)) {
            int columns = tensor.equals(WIDE) ? 12 : 8;
            double[] m = merged(experts(3), exact, tensor);
            assertThat(norm(gradient(m, tensor, columns))).isLessThan(1e-3 * norm(m));
            assertThat(loss(m, tensor, columns)).isLessThan(loss(sum(tensor), tensor, columns));
        }
    }

    @Test
    void adamComesCloseToTheClosedForm() {
        MergeMethod exact = MergeMethod.of("wudi", Map.of("ridge", "1e-9"));
        MergeMethod steps =
                MergeMethod.of(
                        "wudi", Map.of("solver", "adam", "steps", "4000", "learning_rate", "5e-4"));
        double best = loss(merged(experts(3), exact, TALL), TALL, 8);
        assertThat(loss(merged(experts(3), steps, TALL), TALL, 8))
                .isGreaterThanOrEqualTo(best - 1e-9)
                .isCloseTo(best, within(0.01 * best));
    }

    @Test
    void noInterferenceIsLeftWhereThereIsRoomForAllTasks() {
        Map<String, float[]> first = SmallMerge.random(1, 0);
        Map<String, float[]> second = SmallMerge.random(1, 0);
        Objects.requireNonNull(first.get(WIDE))[0] = 0.5f;
        Objects.requireNonNull(second.get(WIDE))[1] = 0.5f;
        SmallMerge merge =
                new SmallMerge(folder.resolve("room"), base)
                        .with("a", SmallMerge.sum(base, first))
                        .with("b", SmallMerge.sum(base, second));
        double[] m = merged(merge, MergeMethod.of("wudi", Map.of("ridge", "1e-6")), WIDE);
        assertThat(m[0]).isCloseTo(0.5, within(1e-4));
        assertThat(m[1]).isCloseTo(0.5, within(1e-4));
    }

    /// Three task vectors of rank two in a space of twelve dimensions.
    @Test
    void wudisLossIsZeroWhereTheTaskVectorsAreIndependent() {
        SmallMerge merge = new SmallMerge(folder.resolve("low"), base);
        for (String task : TASKS) {
            Map<String, float[]> taskVector = SmallMerge.random(1, 0);
            Map<String, float[]> factors = SmallMerge.random(task.hashCode(), 0.3);
            float[] left = Objects.requireNonNull(factors.get(TALL));
            float[] right = Objects.requireNonNull(factors.get(WIDE));
            float[] product = Objects.requireNonNull(taskVector.get(WIDE));
            for (int i = 0; i < product.length; i++) {
                for (int k = 0; k < 2; k++) {
                    product[i] += left[i / 12 * 2 + k] * right[k * 12 + i % 12];
                }
            }
            taskVectors.put(task, taskVector);
            merge.with(task, SmallMerge.sum(base, taskVector));
        }
        double[] m = merged(merge, MergeMethod.of("wudi", Map.of("ridge", "1e-9")), WIDE);
        assertThat(loss(m, WIDE, 12)).isLessThan(1e-6 * loss(sum(WIDE), WIDE, 12));
    }

    @Test
    void wudiLeavesNormsAndEmbeddingsAtTheBaseUnlessTold() {
        MergeMethod published = MergeMethod.of("wudi", Map.of());
        assertThat(norm(merged(experts(3), published, NORM))).isZero();
        assertThat(norm(merged(experts(3), published, "model.embed_tokens.weight"))).isZero();
        MergeMethod mean = MergeMethod.of("wudi", Map.of("others", "mean"));
        double[] m = merged(experts(3), mean, NORM);
        double[] sum = sum(NORM);
        for (int i = 0; i < m.length; i++) {
            assertThat(m[i]).isCloseTo(sum[i] / 3, within(1e-6));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tsv_m", "iso_c", "iso_cts", "opcm"})
    void embeddingsAreNeverDecomposed(String id) {
        double[] m = merged(experts(3), MergeMethod.of(id, Map.of()), "model.embed_tokens.weight");
        double[] sum = sum("model.embed_tokens.weight");
        double factor = m[0] / sum[0];
        for (int i = 0; i < m.length; i++) {
            assertThat(m[i]).isCloseTo(factor * sum[i], within(1e-5));
        }
    }

    @Test
    void opcmIsAsLongAsTheTaskVectorsOnAverage() {
        SmallMerge merge = experts(3);
        Map<String, float[]> values = merge.merge(MergeMethod.of("opcm", Map.of()));
        double length = 0;
        double mean = 0;
        for (Map.Entry<String, float[]> tensor : values.entrySet()) {
            float[] from = Objects.requireNonNull(base.get(tensor.getKey()));
            for (int i = 0; i < from.length; i++) {
                length += Math.pow(tensor.getValue()[i] - from[i], 2);
            }
        }
        for (String task : TASKS) {
            double square = 0;
            for (String tensor : SmallMerge.SHAPES.keySet()) {
                square += Math.pow(norm(taskVector(task, tensor)), 2);
            }
            mean += Math.sqrt(square) / 3;
        }
        assertThat(Math.sqrt(length)).isCloseTo(mean, within(1e-4 * mean));
    }

    @Test
    void opcmAddsNothingAlongWhatIsThere() {
        Map<String, float[]> first = SmallMerge.random(1, 0);
        Map<String, float[]> second = SmallMerge.random(1, 0);
        Objects.requireNonNull(first.get(WIDE))[0] = 0.5f;
        Objects.requireNonNull(second.get(WIDE))[0] = 0.5f;
        Objects.requireNonNull(second.get(WIDE))[13] = 0.5f;
        SmallMerge merge =
                new SmallMerge(folder.resolve("along"), base)
                        .with("a", SmallMerge.sum(base, first))
                        .with("b", SmallMerge.sum(base, second));
        double[] m = merged(merge, MergeMethod.of("opcm", Map.of()), WIDE);
        assertThat(m[0]).isCloseTo(m[13], within(1e-5)).isPositive();
    }

    private double[] sum(String tensor) {
        double[] sum = new double[taskVector("a", tensor).length];
        for (String task : TASKS) {
            double[] one = taskVector(task, tensor);
            for (int i = 0; i < sum.length; i++) {
                sum[i] += one[i];
            }
        }
        return sum;
    }

    private double loss(double[] m, String tensor, int columns) {
        double loss = 0;
        int rows = m.length / columns;
        for (String task : TASKS) {
            double[] tau = taskVector(task, tensor);
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < rows; j++) {
                    double product = 0;
                    for (int k = 0; k < columns; k++) {
                        product +=
                                (m[i * columns + k] - tau[i * columns + k]) * tau[j * columns + k];
                    }
                    loss += product * product / Math.pow(norm(tau), 2);
                }
            }
        }
        return loss;
    }

    private double[] gradient(double[] m, String tensor, int columns) {
        double[] gradient = new double[m.length];
        int rows = m.length / columns;
        for (String task : TASKS) {
            double[] tau = taskVector(task, tensor);
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < rows; j++) {
                    double product = 0;
                    for (int k = 0; k < columns; k++) {
                        product +=
                                (m[i * columns + k] - tau[i * columns + k]) * tau[j * columns + k];
                    }
                    for (int k = 0; k < columns; k++) {
                        gradient[i * columns + k] +=
                                2 * product * tau[j * columns + k] / Math.pow(norm(tau), 2);
                    }
                }
            }
        }
        return gradient;
    }

    private static double[][] rowProducts(double[] m, int rows, int columns) {
        double[][] products = new double[rows][rows];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < rows; j++) {
                for (int k = 0; k < columns; k++) {
                    products[i][j] += m[i * columns + k] * m[j * columns + k];
                }
            }
        }
        return products;
    }

    private static double[] transposed(double[] m, int rows, int columns) {
        double[] transposed = new double[m.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                transposed[j * rows + i] = m[i * columns + j];
            }
        }
        return transposed;
    }

    private static double norm(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value * value;
        }
        return Math.sqrt(sum);
    }
}
