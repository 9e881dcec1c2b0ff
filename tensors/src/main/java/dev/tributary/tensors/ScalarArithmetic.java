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
    public String description() {
        return "scalar";
    }

    @Override
    public void widen(Dtype dtype, MemorySegment source, MemorySegment target, int count) {
        for (int i = 0; i < count; i++) {
            set(target, i, element(dtype, source, (long) i * dtype.bytes()));
        }
    }

    @Override
    public boolean combine(
            Dtype dtype,
            MemorySegment base,
            MemorySegment[] experts,
            float[] coefficients,
            MemorySegment target,
            int count) {
        boolean finite = true;
        for (int i = 0; i < count; i++) {
            long at = (long) i * dtype.bytes();
            float own = element(dtype, base, at);
            float sum = own;
            for (int k = 0; k < experts.length; k++) {
                sum = Math.fma(coefficients[k], element(dtype, experts[k], at) - own, sum);
            }
            put(sum, dtype, target, at);
            finite &= isFinite(dtype, target, i);
        }
        return finite;
    }

    @Override
    public void narrow(MemorySegment source, Dtype dtype, MemorySegment target, int count) {
        for (int i = 0; i < count; i++) {
            put(get(source, i), dtype, target, (long) i * dtype.bytes());
        }
    }

    private static void put(float value, Dtype dtype, MemorySegment target, long at) {
        switch (dtype) {
            case F64 -> target.set(F64, at, value);
            case F32 -> target.set(F32, at, value);
            case F16 -> target.set(BITS16, at, Half.ofFloat(value));
            case BF16 -> target.set(BITS16, at, Brain.ofFloat(value));
            default -> throw notFloating(dtype);
        }
    }

    @Override
    public void accumulateDifference(
            MemorySegment accumulator,
            float coefficient,
            MemorySegment left,
            MemorySegment right,
            int count) {
        for (int i = 0; i < count; i++) {
            float difference = get(left, i) - get(right, i);
            set(accumulator, i, Math.fma(coefficient, difference, get(accumulator, i)));
        }
    }

    @Override
    public void difference(
            MemorySegment left, MemorySegment right, MemorySegment target, int count) {
        for (int i = 0; i < count; i++) {
            set(target, i, get(left, i) - get(right, i));
        }
    }

    @Override
    public void axpy(float a, MemorySegment x, MemorySegment y, int count) {
        for (int i = 0; i < count; i++) {
            set(y, i, Math.fma(a, get(x, i), get(y, i)));
        }
    }

    @Override
    public void dot(double[] lanes, MemorySegment x, MemorySegment y, int count) {
        for (int i = 0; i < count; i++) {
            lanes[i % LANES] += (double) get(x, i) * get(y, i);
        }
    }

    @Override
    public void dotDifference(
            double[] lanes,
            MemorySegment gradient,
            MemorySegment left,
            MemorySegment right,
            int count) {
        for (int i = 0; i < count; i++) {
            float difference = get(left, i) - get(right, i);
            lanes[i % LANES] += (double) get(gradient, i) * difference;
        }
    }

    @Override
    public void magnitudeBits(MemorySegment left, MemorySegment right, int[] bits, int count) {
        for (int i = 0; i < count; i++) {
            bits[i] = Float.floatToRawIntBits(Math.abs(get(left, i) - get(right, i)));
        }
    }

    @Override
    public long bracket(
            Dtype dtype,
            MemorySegment left,
            MemorySegment right,
            int low,
            int high,
            int[] collected,
            int count) {
        long above = 0;
        int size = 0;
        for (int i = 0; i < count; i++) {
            long at = (long) i * dtype.bytes();
            float difference = element(dtype, left, at) - element(dtype, right, at);
            int magnitude = Float.floatToRawIntBits(difference) & MAGNITUDE;
            if (magnitude > high) {
                above++;
            } else if (magnitude >= low) {
                collected[size++] = magnitude;
            }
        }
        return above << Integer.SIZE | size;
    }

    @Override
    public int countNonFinite(Dtype dtype, MemorySegment source, int count) {
        int found = 0;
        for (int i = 0; i < count; i++) {
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
            int count) {
        for (int i = 0; i < count; i++) {
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

    /// The index of the first NaN or infinity, of which there has to be one.
    static int firstNonFinite(Dtype dtype, MemorySegment source) {
        int index = 0;
        while (isFinite(dtype, source, index)) {
            index++;
        }
        return index;
    }

    /// Whether an element is neither NaN nor infinite: not every bit of its exponent is set.
    private static boolean isFinite(Dtype dtype, MemorySegment source, int index) {
        long at = (long) index * dtype.bytes();
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
    static final int MAGNITUDE = 0x7fff_ffff;

    static float element(Dtype dtype, MemorySegment source, long at) {
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

    static float get(MemorySegment segment, int index) {
        return segment.get(F32, (long) index * Float.BYTES);
    }

    private static void set(MemorySegment segment, int index, float value) {
        segment.set(F32, (long) index * Float.BYTES, value);
    }
}
