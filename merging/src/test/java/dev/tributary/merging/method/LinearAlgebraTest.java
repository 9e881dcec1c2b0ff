package dev.tributary.merging.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The native routines are called with the sizes and orders they expect.
class LinearAlgebraTest {
    private final Arena arena = Arena.ofConfined();
    private final Random random = new Random(3);

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void productsAreThoseOfTheTextbook() {
        Matrix a = random(3, 4);
        Matrix b = random(4, 5);
        Matrix product = LinearAlgebra.multiply(arena, a, false, b, false);
        Matrix same = LinearAlgebra.multiply(arena, transposed(a), true, transposed(b), true);
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 5; j++) {
                double sum = 0;
                for (int k = 0; k < 4; k++) {
                    sum += a.get(i, k) * b.get(k, j);
                }
                assertThat(product.get(i, j)).isCloseTo(sum, within(1e-12));
                assertThat(same.get(i, j)).isCloseTo(sum, within(1e-12));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"7, 4", "4, 7", "5, 5", "1, 6", "6, 1"})
    void aDecompositionMultipliesBackToTheMatrix(int rows, int columns) {
        Matrix a = random(rows, columns);
        LinearAlgebra.Svd svd = LinearAlgebra.svd(arena, copy(a));
        assertThat(svd.rank()).isEqualTo(Math.min(rows, columns));
        assertThat(svd.values()).isSortedAccordingTo((x, y) -> Double.compare(y, x));
        assertOrthonormal(svd.u());
        assertOrthonormal(svd.v());
        Matrix left = copy(svd.u());
        left.scaleColumns(svd.values());
        assertSame(LinearAlgebra.multiply(arena, left, false, svd.v(), true), a, 1e-12);
    }

    @Test
    void directionsWithoutLengthAreLeftOut() {
        Matrix thin = random(6, 2);
        Matrix a = LinearAlgebra.multiply(arena, thin, false, random(2, 5), false);
        assertThat(LinearAlgebra.svd(arena, a).rank()).isEqualTo(2);
        assertThat(LinearAlgebra.svd(arena, Matrix.zeros(arena, 3, 3)).rank()).isZero();
    }

    @Test
    void thePolarFactorIsOrthonormal() {
        assertOrthonormal(LinearAlgebra.polar(arena, random(8, 3)));
    }

    @Test
    void aSolutionMultipliesBackToTheRightHandSide() {
        Matrix root = random(9, 4);
        Matrix g = LinearAlgebra.multiply(arena, root, true, root, false);
        Matrix b = random(3, 4);
        Matrix x = copy(b);
        assertThat(LinearAlgebra.solveRight(copy(g), x)).isTrue();
        assertSame(LinearAlgebra.multiply(arena, x, false, g, false), b, 1e-10);
    }

    @Test
    void aMatrixThatIsNotDefiniteIsSaidToBe() {
        Matrix g = Matrix.zeros(arena, 2, 2);
        g.set(0, 0, 1);
        g.set(1, 1, -1);
        assertThat(LinearAlgebra.solveRight(g, random(3, 2))).isFalse();
    }

    private void assertOrthonormal(Matrix a) {
        Matrix products = LinearAlgebra.multiply(arena, a, true, a, false);
        for (int i = 0; i < products.rows(); i++) {
            for (int j = 0; j < products.columns(); j++) {
                assertThat(products.get(i, j)).isCloseTo(i == j ? 1 : 0, within(1e-12));
            }
        }
    }

    private static void assertSame(Matrix actual, Matrix wanted, double tolerance) {
        for (int i = 0; i < wanted.rows(); i++) {
            for (int j = 0; j < wanted.columns(); j++) {
                assertThat(actual.get(i, j)).isCloseTo(wanted.get(i, j), within(tolerance));
            }
        }
    }

    private Matrix random(int rows, int columns) {
        Matrix matrix = Matrix.zeros(arena, rows, columns);
        for (long i = 0; i < matrix.elements(); i++) {
            matrix.put(i, random.nextGaussian());
        }
        return matrix;
    }

    private Matrix copy(Matrix a) {
        Matrix copy = Matrix.zeros(arena, a.rows(), a.columns());
        copy.add(1, a);
        return copy;
    }

    private Matrix transposed(Matrix a) {
        Matrix transposed = Matrix.zeros(arena, a.columns(), a.rows());
        for (int i = 0; i < a.rows(); i++) {
            for (int j = 0; j < a.columns(); j++) {
                transposed.set(j, i, a.get(i, j));
            }
        }
        return transposed;
    }
}
