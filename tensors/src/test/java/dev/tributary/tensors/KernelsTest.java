package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class KernelsTest {
    /// Below, at and above a tile and a vector.
    static IntStream sizes() {
        return IntStream.of(0, 1, 15, 16, 17, 2047, 2048, 2049, 4096, 10_001);
    }

    static Stream<Dtype> floating() {
        return Arrays.stream(Dtype.values()).filter(Dtype::floating);
    }

    static float[] numbers(int size, int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] numbers = new float[size];
        for (int i = 0; i < size; i++) {
            numbers[i] = (float) random.nextDouble(-1, 1);
        }
        return numbers;
    }

    static MemorySegment of(float[] values) {
        return MemorySegment.ofArray(values);
    }

    private static MemorySegment narrowed(Dtype dtype, float[] values) {
        MemorySegment target = MemorySegment.ofArray(new byte[values.length * dtype.bytes()]);
        Kernels.narrow(of(values), dtype, target, values.length);
        return target;
    }

    private static float[] widened(Dtype dtype, MemorySegment source, int size) {
        float[] values = new float[size];
        Kernels.widen(dtype, source, 0, of(values), size);
        return values;
    }

    @ParameterizedTest
    @MethodSource("floating")
    void everyPairOfDtypesGivesTheResultOfItsFp32Values(Dtype baseDtype) {
        int size = 5000;
        for (Dtype expertDtype : floating().toList()) {
            MemorySegment expert = narrowed(expertDtype, numbers(size, 1));
            MemorySegment base = narrowed(baseDtype, numbers(size, 2));
            float[] expected = numbers(size, 3);
            float[] e = widened(expertDtype, expert, size);
            float[] b = widened(baseDtype, base, size);
            for (int i = 0; i < size; i++) {
                expected[i] = Math.fma(0.25f, e[i] - b[i], expected[i]);
            }
            float[] actual = numbers(size, 3);

            Kernels.accumulateDifference(
                    of(actual), 0.25f, expertDtype, expert, baseDtype, base, size);

            assertThat(actual).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void theDotOfADifferenceIsAccurateToFp64(int size) {
        float[] gradient = numbers(size, 1);
        float[] expert = numbers(size, 2);
        float[] base = numbers(size, 3);
        double expected = 0;
        for (int i = 0; i < size; i++) {
            expected += (double) gradient[i] * (expert[i] - base[i]);
        }

        double actual =
                Kernels.dotDifference(
                        of(gradient), Dtype.F32, of(expert), Dtype.F32, of(base), size);

        assertThat(actual).isCloseTo(expected, within(1e-12 * Math.max(size, 1)));
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void memoryOfEveryKindGivesTheSame(int size) {
        float[] x = numbers(size, 1);
        float[] y = numbers(size, 2);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment unaligned = arena.allocate(4L * size + 1).asSlice(1);
            MemorySegment.copy(of(x), 0, unaligned, 0, 4L * size);
            MemorySegment nativeY = arena.allocate(4L * size, 4).copyFrom(of(y));

            Kernels.axpy(3, of(x), of(y), size);
            Kernels.axpy(3, unaligned, nativeY, size);

            assertThat(nativeY.mismatch(of(y))).isEqualTo(-1);
            assertThat(Kernels.dot(unaligned, nativeY, size))
                    .isEqualTo(Kernels.dot(of(x), of(y), size));
        }
    }

    @Test
    void aSumDoesNotLoseSmallNumbersBesideALargeOne() {
        float[] values = new float[1 << 20];
        Arrays.fill(values, 1);
        values[0] = 0x1p24f;

        double squares = Kernels.squaredNorm(of(values), values.length);

        assertThat(squares).isEqualTo(0x1p48 + (1 << 20) - 1);
    }

    @Test
    void readingBeginsAtTheElementAskedFor() {
        float[] values = numbers(6000, 1);
        MemorySegment source = narrowed(Dtype.BF16, values);
        float[] part = new float[3000];

        Kernels.widen(Dtype.BF16, source, 2500, of(part), 3000);

        assertThat(part)
                .isEqualTo(Arrays.copyOfRange(widened(Dtype.BF16, source, 6000), 2500, 5500));
    }

    @ParameterizedTest
    @MethodSource("floating")
    void theFirstNanOrInfinityIsFoundWhereverItIs(Dtype dtype) {
        int size = 5001;
        for (int index : new int[] {0, 1, 15, 16, 2047, 2048, 4999, 5000}) {
            float[] values = numbers(size, 1);
            values[index] = index % 2 == 0 ? Float.NaN : Float.NEGATIVE_INFINITY;
            values[size - 1] = Float.POSITIVE_INFINITY;

            assertThat(Kernels.firstNonFinite(dtype, narrowed(dtype, values), size))
                    .contains(new NonFinite(index, index == size - 1 ? 1 : 2));
        }
        assertThat(Kernels.firstNonFinite(dtype, narrowed(dtype, numbers(size, 1)), size))
                .isEmpty();
        assertThat(Kernels.countNonFinite(dtype, narrowed(dtype, numbers(size, 1)), size)).isZero();
    }

    @Test
    void aNumberTooLargeForItsDtypeBecomesAnInfinityAndIsFound() {
        MemorySegment half = narrowed(Dtype.F16, new float[] {65519, 65520, -1e6f});

        assertThat(Kernels.firstNonFinite(Dtype.F16, half, 3)).contains(new NonFinite(1, 2));
    }

    /// Loshchilov and Hutter (2019), Algorithm 2, in fp64.
    @Test
    void adamFollowsItsPaperOverManySteps() {
        int size = 33;
        AdamW settings = new AdamW(1e-2, 0.9, 0.999, 1e-8, 0.1);
        float[] weights = numbers(size, 1);
        float[] m = new float[size];
        float[] v = new float[size];
        double[] w64 = IntStream.range(0, size).mapToDouble(i -> weights[i]).toArray();
        double[] m64 = new double[size];
        double[] v64 = new double[size];
        for (int step = 1; step <= 50; step++) {
            float[] gradient = numbers(size, step + 1);
            Kernels.adamW(settings, step, of(weights), of(gradient), of(m), of(v), size);
            for (int i = 0; i < size; i++) {
                m64[i] = 0.9 * m64[i] + 0.1 * gradient[i];
                v64[i] = 0.999 * v64[i] + 0.001 * gradient[i] * gradient[i];
                double mHat = m64[i] / (1 - Math.pow(0.9, step));
                double vHat = v64[i] / (1 - Math.pow(0.999, step));
                w64[i] -= 1e-2 * (mHat / (Math.sqrt(vHat) + 1e-8) + 0.1 * w64[i]);
            }
        }
        for (int i = 0; i < size; i++) {
            assertThat((double) weights[i]).isCloseTo(w64[i], within(2e-6));
        }
    }

    @Test
    void integersAreNotArithmetic() {
        MemorySegment integers = MemorySegment.ofArray(new int[4]);

        assertThatThrownBy(() -> Kernels.widen(Dtype.I32, integers, 0, of(new float[4]), 4))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("I32 is not a floating-point dtype");
    }

    @Test
    void nothingIsReadOrWrittenBeyondAnOperand() {
        assertThatThrownBy(() -> Kernels.axpy(1, of(new float[4]), of(new float[5]), 5))
                .isInstanceOf(IndexOutOfBoundsException.class);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment four = arena.allocate(ValueLayout.JAVA_FLOAT, 4);
            MemorySegment five = arena.allocate(ValueLayout.JAVA_FLOAT, 5);
            assertThatThrownBy(() -> Kernels.axpy(1, four, five, 5))
                    .isInstanceOf(IndexOutOfBoundsException.class);
        }
    }

    @Test
    void aJvmWithoutTheIncubatingModuleComputesTheSameWithoutVectors() throws IOException {
        try (ChildJvm child = ChildJvm.start(KernelsOfThisJvm.class)) {
            assertThat(child.line()).isEqualTo("scalar");
            assertThat(child.line()).isEqualTo(KernelsOfThisJvm.result());
        }
        assertThat(Kernels.inUse()).startsWith("vector");
    }

    /// Prints which kernels a JVM uses and what they compute.
    static final class KernelsOfThisJvm {
        private KernelsOfThisJvm() {}

        public static void main(String[] arguments) {
            System.out.println(Kernels.inUse());
            System.out.println(result());
        }

        static String result() {
            float[] x = numbers(5000, 1);
            float[] y = numbers(5000, 2);
            Kernels.axpy(0.3f, of(x), of(y), 5000);
            return Double.toHexString(Kernels.dot(of(x), of(y), 5000));
        }
    }
}
