package dev.tributary.tensors;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// The scalar kernels are the meaning; the vector kernels may only be faster.
class ArithmeticTest {
    private static final ValueLayout.OfFloat F32 =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BITS16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);

    private final Arena arena = Arena.ofConfined();
    private final Arithmetic scalar = new ScalarArithmetic();
    private final Arithmetic vector = new VectorArithmetic();

    @AfterEach
    void free() {
        arena.close();
    }

    static IntStream sizes() {
        return IntStream.of(
                0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 1000, 2047,
                2048, 2049);
    }

    @Test
    void theVectorKernelsAreTheOnesInUse() {
        assertThat(Kernels.best()).isInstanceOf(VectorArithmetic.class);
        assertThat(Kernels.inUse()).startsWith("vector ");
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void accumulatedDifferencesAreTheSameBitForBit(int size) {
        MemorySegment left = numbers(size, 1);
        MemorySegment right = numbers(size, 2);
        MemorySegment expected = numbers(size, 3);
        MemorySegment actual = numbers(size, 3);

        scalar.accumulateDifference(expected, 0.3f, left, right, size);
        vector.accumulateDifference(actual, 0.3f, left, right, size);

        assertSameBits(actual, expected);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void differencesAreTheSameBitForBit(int size) {
        MemorySegment left = numbers(size, 1);
        MemorySegment right = numbers(size, 2);
        MemorySegment expected = numbers(size, 3);
        MemorySegment actual = numbers(size, 4);

        scalar.difference(left, right, expected, size);
        vector.difference(left, right, actual, size);

        assertSameBits(actual, expected);
    }

    @ParameterizedTest
    @EnumSource(
            value = Dtype.class,
            names = {"BF16", "F16", "F32"})
    void combinationsAreTheSameBitForBitAtEverySizeAndAlignment(Dtype dtype) {
        float[] coefficients = {0.3f, -1.7f, 0.5f, 1f, 0.1f, 2f, -0.25f, 0.7f};
        for (int size : sizes().toArray()) {
            for (int experts : new int[] {0, 1, 3, 4, 5, 7, 8}) {
                for (boolean special : new boolean[] {false, true}) {
                    MemorySegment base = stored(dtype, numbers(size, 1), size, experts % 3);
                    MemorySegment[] others = new MemorySegment[experts];
                    for (int k = 0; k < experts; k++) {
                        MemorySegment values =
                                special && k == 1 ? withSpecialValues(size) : numbers(size, k + 2);
                        others[k] = stored(dtype, values, size, k % 4);
                    }
                    MemorySegment expected = unaligned((long) size * dtype.bytes(), 0);
                    MemorySegment actual = unaligned((long) size * dtype.bytes(), 1);

                    boolean expectedFinite =
                            scalar.combine(dtype, base, others, coefficients, expected, size);
                    boolean actualFinite =
                            vector.combine(dtype, base, others, coefficients, actual, size);

                    assertThat(actualFinite).isEqualTo(expectedFinite);
                    MemorySegment expectedFloats = floats(size);
                    MemorySegment actualFloats = floats(size);
                    scalar.widen(dtype, expected, expectedFloats, size);
                    scalar.widen(dtype, actual, actualFloats, size);
                    assertSameNumbers(actualFloats, expectedFloats);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Dtype.class,
            names = {"BF16", "F16", "F32"})
    void aZeroKeepsItsSign(Dtype dtype) {
        MemorySegment values = floats(64);
        for (int i = 0; i < 64; i++) {
            values.set(F32, 4L * i, i % 2 == 0 ? -0f : 0f);
        }
        MemorySegment base = stored(dtype, values, 64, 0);
        MemorySegment target = unaligned(64L * dtype.bytes(), 0);

        vector.combine(dtype, base, new MemorySegment[0], new float[0], target, 64);

        assertThat(target.mismatch(base.asSlice(0, 64L * dtype.bytes()))).isEqualTo(-1);
    }

    @Test
    void aSumTooLargeForTheDtypeIsNotFinite() {
        MemorySegment values = floats(32);
        for (int i = 0; i < 32; i++) {
            values.set(F32, 4L * i, i == 17 ? 60000f : 1f);
        }
        MemorySegment half = stored(Dtype.F16, values, 32, 0);
        MemorySegment target = unaligned(64, 0);
        MemorySegment[] same = {half};
        MemorySegment zeros = unaligned(64, 0);

        assertThat(vector.combine(Dtype.F16, zeros, same, new float[] {1f}, target, 32)).isTrue();
        assertThat(vector.combine(Dtype.F16, zeros, same, new float[] {2f}, target, 32)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(
            value = Dtype.class,
            names = {"BF16", "F32"})
    void bracketsHoldTheSameMagnitudes(Dtype dtype) {
        int low = Float.floatToRawIntBits(0.2f);
        int high = Float.floatToRawIntBits(0.4f);
        for (int size : sizes().toArray()) {
            MemorySegment left = stored(dtype, withSpecialValues(size), size, 1);
            MemorySegment right = stored(dtype, numbers(size, 2), size, 2);
            int[] expected = new int[size + Arithmetic.LANES];
            int[] actual = new int[size + Arithmetic.LANES];

            long expectedFound = scalar.bracket(dtype, left, right, low, high, expected, size);
            long actualFound = vector.bracket(dtype, left, right, low, high, actual, size);

            assertThat(actualFound).isEqualTo(expectedFound);
            Arrays.sort(expected, 0, (int) expectedFound);
            Arrays.sort(actual, 0, (int) actualFound);
            assertThat(Arrays.copyOf(actual, (int) actualFound))
                    .isEqualTo(Arrays.copyOf(expected, (int) expectedFound));
        }
    }

    private MemorySegment stored(Dtype dtype, MemorySegment values, int size, int misalignment) {
        MemorySegment stored = unaligned((long) size * dtype.bytes(), misalignment);
        scalar.narrow(values, dtype, stored, size);
        return stored;
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void axpyIsTheSameBitForBit(int size) {
        MemorySegment x = numbers(size, 1);
        MemorySegment expected = numbers(size, 2);
        MemorySegment actual = numbers(size, 2);

        scalar.axpy(-1.7f, x, expected, size);
        vector.axpy(-1.7f, x, actual, size);

        assertSameBits(actual, expected);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void innerProductsAreTheSameBitForBit(int size) {
        MemorySegment x = numbers(size, 1);
        MemorySegment y = numbers(size, 2);
        MemorySegment z = numbers(size, 3);
        double[] expected = startingLanes();
        double[] actual = startingLanes();

        scalar.dot(expected, x, y, size);
        vector.dot(actual, x, y, size);
        scalar.dotDifference(expected, x, y, z, size);
        vector.dotDifference(actual, x, y, z, size);

        assertThat(actual).isEqualTo(expected);
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void anAdamStepIsTheSameBitForBit(int size) {
        AdamW.Factors factors = AdamW.of(1e-3, 0.01).factors(3);
        MemorySegment gradient = numbers(size, 1);
        MemorySegment[] expected = {numbers(size, 2), numbers(size, 3), squares(size)};
        MemorySegment[] actual = {numbers(size, 2), numbers(size, 3), squares(size)};

        scalar.adamW(factors, expected[0], gradient, expected[1], expected[2], size);
        vector.adamW(factors, actual[0], gradient, actual[1], actual[2], size);

        for (int i = 0; i < expected.length; i++) {
            assertSameBits(actual[i], expected[i]);
        }
    }

    @ParameterizedTest
    @MethodSource("sizes")
    void magnitudesAreTheSameBitForBit(int size) {
        int[] expected = new int[size];
        int[] actual = new int[size];

        scalar.magnitudeBits(numbers(size, 1), numbers(size, 2), expected, size);
        vector.magnitudeBits(numbers(size, 1), numbers(size, 2), actual, size);

        assertThat(actual).isEqualTo(expected);
    }

    static Stream<Dtype> floating() {
        return Arrays.stream(Dtype.values()).filter(Dtype::floating);
    }

    @ParameterizedTest
    @MethodSource("floating")
    void conversionsAreTheSameBitForBitAtEverySizeAndAlignment(Dtype dtype) {
        for (int size : sizes().toArray()) {
            for (int misalignment : new int[] {0, 1, 3}) {
                MemorySegment values = withSpecialValues(size);
                MemorySegment expected = unaligned((long) size * dtype.bytes(), misalignment);
                MemorySegment actual = unaligned((long) size * dtype.bytes(), misalignment);
                scalar.narrow(values, dtype, expected, size);
                vector.narrow(values, dtype, actual, size);
                assertThat(actual.mismatch(expected)).as("narrow %d", size).isEqualTo(-1);

                MemorySegment expectedFloats = floats(size);
                MemorySegment actualFloats = floats(size);
                scalar.widen(dtype, expected, expectedFloats, size);
                vector.widen(dtype, expected, actualFloats, size);
                assertSameNumbers(actualFloats, expectedFloats);

                assertThat(vector.countNonFinite(dtype, expected, size))
                        .isEqualTo(scalar.countNonFinite(dtype, expected, size));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Dtype.class,
            names = {"F16", "BF16"})
    void everySixteenBitNumberWidensAlikeAndComesBackUnchanged(Dtype dtype) {
        int size = 1 << 16;
        MemorySegment all = arena.allocate(2L * size);
        for (int i = 0; i < size; i++) {
            all.set(BITS16, 2L * i, (short) i);
        }
        MemorySegment expected = floats(size);
        MemorySegment actual = floats(size);
        MemorySegment back = arena.allocate(2L * size);

        scalar.widen(dtype, all, expected, size);
        vector.widen(dtype, all, actual, size);
        vector.narrow(actual, dtype, back, size);

        assertSameNumbers(actual, expected);
        for (int i = 0; i < size; i++) {
            if (!Float.isNaN(expected.get(F32, 4L * i))) {
                assertThat(back.get(BITS16, 2L * i)).isEqualTo((short) i);
            }
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Dtype.class,
            names = {"F16", "BF16"})
    void aMillionRandomBitPatternsNarrowAlike(Dtype dtype) {
        int size = 1 << 20;
        SplittableRandom random = new SplittableRandom(11);
        MemorySegment values = floats(size);
        for (int i = 0; i < size; i++) {
            values.set(F32, 4L * i, Float.intBitsToFloat(random.nextInt()));
        }
        MemorySegment expected = arena.allocate(2L * size);
        MemorySegment actual = arena.allocate(2L * size);

        scalar.narrow(values, dtype, expected, size);
        vector.narrow(values, dtype, actual, size);

        assertThat(actual.mismatch(expected)).isEqualTo(-1);
    }

    /// Rounds to the nearest by comparing distances in fp64, where they are exact.
    @Test
    void bfloat16IsTheNearestNumberAndTiesGoToEven() {
        SplittableRandom random = new SplittableRandom(5);
        for (int i = 0; i < 100_000; i++) {
            float value = Float.intBitsToFloat(random.nextInt() & 0xbfff_ffff);
            int below = Float.floatToRawIntBits(value) & 0xffff_0000;
            double lower = Float.intBitsToFloat(below);
            double upper = Float.intBitsToFloat(below + 0x1_0000);
            double toLower = Math.abs(value - lower);
            double toUpper = Math.abs(upper - value);
            boolean evenIsLower = (below & 0x1_0000) == 0;
            double nearest =
                    toLower < toUpper || (toLower == toUpper && evenIsLower) ? lower : upper;
            assertThat((double) Brain.toFloat(Brain.ofFloat(value))).isEqualTo(nearest);
        }
        assertThat(Brain.ofFloat(Float.intBitsToFloat(0x3f80_8000))).isEqualTo((short) 0x3f80);
        assertThat(Brain.ofFloat(Float.intBitsToFloat(0x3f81_8000))).isEqualTo((short) 0x3f82);
        assertThat(Brain.ofFloat(Float.MAX_VALUE)).isEqualTo((short) 0x7f80);
        assertThat(Brain.toFloat(Brain.ofFloat(Float.NaN))).isNaN();
    }

    private MemorySegment floats(int size) {
        return arena.allocate(4L * size + 4).asSlice(0, 4L * size);
    }

    private MemorySegment unaligned(long bytes, int misalignment) {
        return arena.allocate(bytes + 8).asSlice(misalignment, bytes);
    }

    private MemorySegment numbers(int size, int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        MemorySegment numbers = floats(size);
        for (int i = 0; i < size; i++) {
            numbers.set(F32, 4L * i, (float) random.nextDouble(-1, 1));
        }
        return numbers;
    }

    private MemorySegment squares(int size) {
        MemorySegment squares = numbers(size, 4);
        for (int i = 0; i < size; i++) {
            float root = squares.get(F32, 4L * i);
            squares.set(F32, 4L * i, root * root);
        }
        return squares;
    }

    private MemorySegment withSpecialValues(int size) {
        float[] special = {
            0f,
            -0f,
            Float.NaN,
            Float.POSITIVE_INFINITY,
            Float.NEGATIVE_INFINITY,
            Float.MIN_VALUE,
            -Float.MIN_VALUE,
            Float.MAX_VALUE,
            65504f,
            65519.99f,
            65520f,
            -65520f,
            0x1p-14f,
            0x1.ffcp-15f,
            0x1p-24f,
            0x1p-25f,
            0x1.8p-24f,
            0x1.000002p-25f,
            Float.intBitsToFloat(0x3f80_8000),
            Float.intBitsToFloat(0x3f81_8000),
            Float.intBitsToFloat(0xffc0_0001)
        };
        MemorySegment values = numbers(size, 7);
        for (int i = 0; i < size; i++) {
            if (i % 3 != 2) {
                values.set(F32, 4L * i, special[(i + size) % special.length]);
            }
        }
        return values;
    }

    private static double[] startingLanes() {
        double[] lanes = new double[Arithmetic.LANES];
        Arrays.setAll(lanes, i -> 0.1 * i);
        return lanes;
    }

    private static void assertSameBits(MemorySegment actual, MemorySegment expected) {
        assertThat(actual.mismatch(expected)).isEqualTo(-1);
    }

    /// Bit for bit, but any NaN is as good as any other.
    private static void assertSameNumbers(MemorySegment actual, MemorySegment expected) {
        for (long at = 0; at < expected.byteSize(); at += Float.BYTES) {
            float wanted = expected.get(F32, at);
            float found = actual.get(F32, at);
            assertThat(Float.floatToIntBits(found)).isEqualTo(Float.floatToIntBits(wanted));
        }
    }
}
