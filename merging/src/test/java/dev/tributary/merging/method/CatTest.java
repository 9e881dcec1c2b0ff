package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CatTest {
    private static final int WIDTH = 6;

    private final Arena arena = Arena.ofShared();
    private final Random random = new Random(3);

    @AfterEach
    void close() {
        arena.close();
    }

    private Matrix random(int rows, int columns) {
        Matrix matrix = Matrix.zeros(arena, rows, columns);
        for (long i = 0; i < matrix.elements(); i++) {
            matrix.put(i, random.nextGaussian());
        }
        return matrix;
    }

    private List<Matrix> several(int rows) {
        List<Matrix> matrices = new ArrayList<>();
        for (int t = 0; t < 3; t++) {
            matrices.add(random(rows, WIDTH));
        }
        return matrices;
    }

    private static Cat cat(int basis, double balance) {
        return new Cat(Setting.ONE, basis, balance, false, 3);
    }

    /// `sum_(i != k) tau_i (G_k - balance G_i) tau_i^T`.
    private Matrix conflict(List<Matrix> own, List<Matrix> inputs, int k, double balance) {
        int size = own.getFirst().rows();
        Matrix sum = Matrix.zeros(arena, size, size);
        for (int i = 0; i < own.size(); i++) {
            if (i != k) {
                Matrix others =
                        LinearAlgebra.multiply(arena, own.get(i), false, inputs.get(k), true);
                Matrix itsOwn =
                        LinearAlgebra.multiply(arena, own.get(i), false, inputs.get(i), true);
                LinearAlgebra.multiplyAdd(1, others, false, others, true, sum);
                LinearAlgebra.multiplyAdd(-balance, itsOwn, false, itsOwn, true, sum);
            }
        }
        return sum;
    }

    private double gain(Matrix conflict, Matrix basis) {
        Matrix turned = LinearAlgebra.multiply(arena, conflict, false, basis, false);
        return LinearAlgebra.multiply(arena, basis, true, turned, false).trace();
    }

    @Test
    void noOtherDirectionsGainMoreThanThoseOfTheLargestEigenvalues() {
        List<Matrix> own = several(20);
        List<Matrix> inputs = several(4);
        Matrix conflict = conflict(own, inputs, 1, 0.5);
        Matrix basis = conflicting(cat(2, 0.5), own, rows(inputs), 1);
        assertThat(basis.columns()).isEqualTo(2);
        for (int trial = 0; trial < 200; trial++) {
            Matrix other = LinearAlgebra.polar(arena, random(20, 2));
            assertThat(gain(conflict, other)).isLessThan(gain(conflict, basis));
        }
    }

    @Test
    void directionsAreOrthonormal() {
        Matrix basis = conflicting(cat(3, 0.5), several(20), rows(several(4)), 0);
        Matrix products = LinearAlgebra.multiply(arena, basis, true, basis, false);
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                assertThat(products.get(i, j)).isCloseTo(i == j ? 1 : 0, within(1e-10));
            }
        }
    }

    @Test
    void noDirectionOfANegativeEigenvalueIsTrimmed() {
        List<Matrix> own = several(20);
        List<Matrix> inputs = several(1);
        assertThat(conflicting(cat(50, 0.5), own, rows(inputs), 1).columns())
                .as("two others' features, moved by one input each")
                .isEqualTo(2);
        List<Matrix> silent = new ArrayList<>(inputs);
        silent.set(1, Matrix.zeros(arena, 1, WIDTH));
        assertThat(conflicting(cat(50, 0.5), own, rows(silent), 1).columns()).isZero();
    }

    private Matrix conflicting(Cat cat, List<Matrix> own, List<Cat.Seen> inputs, int k) {
        try (Workers workers = Workers.create()) {
            return cat.conflicting(own, inputs, workers, arena).get(k);
        }
    }

    private static List<Cat.Seen> rows(List<Matrix> inputs) {
        return inputs.stream().map(rows -> new Cat.Seen(rows, false)).toList();
    }

    /// Of many inputs their Gram matrix says the same as they do.
    @Test
    void gramMatricesGiveTheSameDirectionsAsTheirInputs() {
        List<Matrix> own = several(20);
        List<Matrix> inputs = several(9);
        List<Cat.Seen> grams =
                inputs.stream()
                        .map(x -> LinearAlgebra.multiply(arena, x, true, x, false))
                        .map(gram -> new Cat.Seen(gram, true))
                        .toList();

        Matrix ofRows = conflicting(cat(2, 0.5), own, rows(inputs), 1);
        Matrix ofGrams = conflicting(cat(2, 0.5), own, grams, 1);

        Matrix one = LinearAlgebra.multiply(arena, ofRows, false, ofRows, true);
        Matrix other = LinearAlgebra.multiply(arena, ofGrams, false, ofGrams, true);
        for (long i = 0; i < one.elements(); i++) {
            assertThat(one.at(i)).isCloseTo(other.at(i), within(1e-8));
        }
    }

    /// With few inputs the factors are decomposed, with many the matrix.
    @Test
    void factorsAndTheMatrixHaveTheSameEigenvectors() {
        List<Matrix> own = several(40);
        List<Matrix> few = several(2);
        List<Matrix> padded = new ArrayList<>();
        for (Matrix rows : few) {
            Matrix more = Matrix.zeros(arena, 10, WIDTH);
            for (long i = 0; i < rows.elements(); i++) {
                more.put(i, rows.at(i));
            }
            padded.add(more);
        }
        Matrix ofFactors = conflicting(cat(2, 0.5), own, rows(few), 2);
        Matrix ofMatrix = conflicting(cat(2, 0.5), own, rows(padded), 2);
        Matrix one = LinearAlgebra.multiply(arena, ofFactors, false, ofFactors, true);
        Matrix other = LinearAlgebra.multiply(arena, ofMatrix, false, ofMatrix, true);
        for (long i = 0; i < one.elements(); i++) {
            assertThat(one.at(i)).isCloseTo(other.at(i), within(1e-8));
        }
    }

    /// With many outputs neither is formed: there are products with vectors alone. 150 outputs take
    /// many of them, three are fewer than a block.
    @ParameterizedTest
    @ValueSource(ints = {150, 40, 3})
    void productsFindTheSameDirectionsAsTheMatrix(int outputs) {
        List<Matrix> own = several(outputs);
        List<Matrix> inputs = several(90);
        List<Cat.Seen> grams =
                inputs.stream()
                        .map(x -> LinearAlgebra.multiply(arena, x, true, x, false))
                        .map(gram -> new Cat.Seen(gram, true))
                        .toList();
        for (int k = 0; k < 3; k++) {
            Matrix ofMatrix = conflicting(cat(2, 0.9), own, rows(inputs), k);
            assertThat(ofMatrix.columns()).isPositive();
            for (List<Cat.Seen> seen : List.of(rows(inputs), grams)) {
                Matrix ofProducts = cat(2, 0.9).ofProducts(own, seen, k, arena);
                Matrix one = LinearAlgebra.multiply(arena, ofMatrix, false, ofMatrix, true);
                Matrix other = LinearAlgebra.multiply(arena, ofProducts, false, ofProducts, true);
                assertThat(ofProducts.columns()).isEqualTo(ofMatrix.columns());
                for (long i = 0; i < one.elements(); i++) {
                    assertThat(one.at(i)).isCloseTo(other.at(i), within(1e-6));
                }
            }
        }
    }

    @Test
    void eigenvaluesThatLieCloseAreToldApart() {
        int size = 300;
        Matrix products =
                BlockLanczos.positive(
                        size,
                        3,
                        (vectors, target) -> {
                            for (int i = 0; i < vectors.rows(); i++) {
                                for (int j = 0; j < size; j++) {
                                    double eigenvalue = j < 3 ? 1 - 0.01 * j : -j;
                                    double sum = target.get(i, j) + eigenvalue * vectors.get(i, j);
                                    target.set(i, j, sum);
                                }
                            }
                        },
                        arena);
        assertThat(products.columns()).isEqualTo(3);
        for (int k = 0; k < 3; k++) {
            assertThat(Math.abs(products.get(k, k))).isCloseTo(1, within(1e-8));
        }
    }

    @Test
    void nothingIsFoundWhereNoEigenvalueIsPositive() {
        assertThat(BlockLanczos.positive(50, 2, (_, _) -> {}, arena).columns()).isZero();
        assertThat(
                        BlockLanczos.positive(
                                        50, 2, (vectors, target) -> target.add(-2, vectors), arena)
                                .columns())
                .isZero();
    }
}
