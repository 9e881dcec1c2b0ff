package dev.tributary.tensors;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What every kernel means, one element at a time.
final class ScalarArithmetic implements Arithmetic {
    private static final ValueLayout.OfFloat F32 =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfDouble F64 =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfShort BITS16 =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfInt BITS32 =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final ValueLayout.OfLong BITS64 =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(LITTLE_ENDIAN);

    @Override
    public void widen(
            Dtype dtype, MemorySegment source, long offset, MemorySegment target, long count) {
        for (long i = 0; i < count; i++) {
            set(target, i, element(dtype, source, offset + i * dtype.bytes()));
        }
    }

    @Override
    public void narrow(MemorySegment source, Dtype dtype, MemorySegment target, long count) {
        for (long i = 0; i < count; i++) {
            float value = get(source, i);
            long at = i * dtype.bytes();
            switch (dtype) {
                case F64 -> target.set(F64, at, value);
                case F32 -> target.set(F32, at, value);
                case F16 -> target.set(BITS16, at, Half.ofFloat(value));
                case BF16 -> target.set(BITS16, at, Brain.ofFloat(value));
                default -> throw notFloating(dtype);
            }
        }
    }

    @Override
    public void accumulateDifference(
            MemorySegment accumulator,
            float coefficient,
            MemorySegment left,
            MemorySegment right,
            long count) {
        for (long i = 0; i < count; i++) {
            float difference = get(left, i) - get(right, i);
            set(accumulator, i, Math.fma(coefficient, difference, get(accumulator, i)));
        }
    }

    @Override
    public void axpy(float a, MemorySegment x, MemorySegment y, long count) {
        for (long i = 0; i < count; i++) {
            set(y, i, Math.fma(a, get(x, i), get(y, i)));
        }
    }

    @Override
    public void dot(double[] lanes, MemorySegment x, MemorySegment y, long count) {
        for (long i = 0; i < count; i++) {
            lanes[(int) (i % LANES)] += (double) get(x, i) * get(y, i);
        }
    }

    @Override
    public void dotDifference(
            double[] lanes,
            MemorySegment gradient,
            MemorySegment left,
            MemorySegment right,
            long count) {
        for (long i = 0; i < count; i++) {
            float difference = get(left, i) - get(right, i);
            lanes[(int) (i % LANES)] += (double) get(gradient, i) * difference;
        }
    }

    @Override
    public long countNonFinite(Dtype dtype, MemorySegment source, long count) {
        long found = 0;
        for (long i = 0; i < count; i++) {
            if (!isFinite(dtype, source, i)) {
                found++;
            }
        }
        return found;
    }

    @Override
    public void adamW(
            AdamW.Factors factors,
            MemorySegment weights,
            MemorySegment gradient,
            MemorySegment firstMoment,
            MemorySegment secondMoment,
            long count) {
        for (long i = 0; i < count; i++) {
            float g = get(gradient, i);
            float m = Math.fma(factors.oneMinusBeta1(), g, factors.beta1() * get(firstMoment, i));
            float v =
                    Math.fma(
                            factors.oneMinusBeta2() * g, g, factors.beta2() * get(secondMoment, i));
            float root = Math.fma((float) Math.sqrt(v), factors.rootScale(), factors.epsilon());
            float kept = get(weights, i) * factors.keep();
            set(firstMoment, i, m);
            set(secondMoment, i, v);
            set(weights, i, Math.fma(factors.negativeStep(), m / root, kept));
        }
    }

    /// Whether an element is neither NaN nor infinite: not every bit of its exponent is set.
    static boolean isFinite(Dtype dtype, MemorySegment source, long index) {
        long at = index * dtype.bytes();
        return switch (dtype) {
            case F64 -> (source.get(BITS64, at) & F64_EXPONENT) != F64_EXPONENT;
            case F32 -> (source.get(BITS32, at) & F32_EXPONENT) != F32_EXPONENT;
            case F16 -> (source.get(BITS16, at) & Half.EXPONENT) != Half.EXPONENT;
            case BF16 -> (source.get(BITS16, at) & Brain.EXPONENT) != Brain.EXPONENT;
            default -> throw notFloating(dtype);
        };
    }

    static final long F64_EXPONENT = 0x7ff0_0000_0000_0000L;
    static final int F32_EXPONENT = 0x7f80_0000;

    private static float element(Dtype dtype, MemorySegment source, long at) {
        return switch (dtype) {
            case F64 -> (float) source.get(F64, at);
            case F32 -> source.get(F32, at);
            case F16 -> Half.toFloat(source.get(BITS16, at));
            case BF16 -> Brain.toFloat(source.get(BITS16, at));
            default -> throw notFloating(dtype);
        };
    }

    static IllegalArgumentException notFloating(Dtype dtype) {
        return new IllegalArgumentException(
                "%s is not a floating-point dtype: such tensors are carried through"
                        .formatted(dtype));
    }

    private static float get(MemorySegment segment, long index) {
        return segment.get(F32, index * Float.BYTES);
    }

    private static void set(MemorySegment segment, long index, float value) {
        segment.set(F32, index * Float.BYTES, value);
    }
}
