package dev.tributary.tensors;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Conversion between dtypes with vector instructions. Works on whole vectors only and says how
/// many elements it did.
final class VectorConversion {
    private static final VectorShape SHAPE = VectorArithmetic.SHAPE;
    private static final VectorShape HALF_SHAPE = VectorShape.forBitSize(SHAPE.vectorBitSize() / 2);
    private static final VectorSpecies<Float> F32 = VectorSpecies.of(float.class, SHAPE);
    private static final VectorSpecies<Float> HALF_OF_F32 =
            VectorSpecies.of(float.class, HALF_SHAPE);
    private static final VectorSpecies<Double> F64 = VectorSpecies.of(double.class, SHAPE);
    private static final VectorSpecies<Integer> BITS32 = VectorSpecies.of(int.class, SHAPE);
    private static final VectorSpecies<Long> BITS64 = VectorSpecies.of(long.class, SHAPE);
    private static final VectorSpecies<Short> BITS16 = VectorSpecies.of(short.class, SHAPE);
    private static final VectorSpecies<Short> HALF_OF_BITS16 =
            VectorSpecies.of(short.class, HALF_SHAPE);
    private static final int FLOATS = F32.length();
    private static final int DOUBLES = F64.length();

    private VectorConversion() {}

    static int widen(Dtype dtype, MemorySegment source, MemorySegment target, int count) {
        long from = Memory.address(source, (long) count * dtype.bytes());
        long to = Memory.floats(target, count);
        return switch (dtype) {
            case F64 -> widenF64(from, to, count);
            case F16 -> widenF16(from, to, count);
            case BF16 -> widenBf16(from, to, count);
            default -> throw ScalarArithmetic.notFloating(dtype);
        };
    }

    static int narrow(MemorySegment source, Dtype dtype, MemorySegment target, int count) {
        long from = Memory.floats(source, count);
        long to = Memory.address(target, (long) count * dtype.bytes());
        return switch (dtype) {
            case F64 -> narrowF64(from, to, count);
            case F16 -> narrowF16(from, to, count);
            case BF16 -> narrowBf16(from, to, count);
            default -> throw ScalarArithmetic.notFloating(dtype);
        };
    }

    /// Counts elements whose exponent has every bit set.
    ///
    /// @param count a whole number of vectors
    static int countNonFinite(Dtype dtype, MemorySegment source, int count) {
        int bytes = count * dtype.bytes();
        long from = Memory.address(source, bytes);
        return switch (dtype) {
            case F64 -> countNonFinite64(from, bytes);
            case F32 -> countNonFinite32(from, bytes);
            case F16 -> countNonFinite16(from, bytes, (short) Half.EXPONENT);
            case BF16 -> countNonFinite16(from, bytes, (short) Brain.EXPONENT);
            default -> throw ScalarArithmetic.notFloating(dtype);
        };
    }

    private static int widenBf16(long source, long target, int count) {
        int bound = count - count % FLOATS;
        for (int i = 0; i < bound; i += FLOATS) {
            IntVector bits = loadShorts(source + (long) i * Short.BYTES);
            store(decodeBf16(bits).reinterpretAsInts(), target, i);
        }
        return bound;
    }

    /// bfloat16 numbers, one in the lower half of each lane, as fp32.
    static FloatVector decodeBf16(IntVector brain) {
        return brain.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }

    private static int widenF16(long source, long target, int count) {
        int bound = count - count % FLOATS;
        for (int i = 0; i < bound; i += FLOATS) {
            IntVector half = loadShorts(source + (long) i * Short.BYTES);
            store(decodeF16(half).reinterpretAsInts(), target, i);
        }
        return bound;
    }

    /// fp16 numbers, one in the lower half of each lane, as fp32. Normal numbers only need another
    /// exponent bias. Subnormal ones are their fraction times 2^-24, and all-ones exponents stay
    /// all-ones.
    static FloatVector decodeF16(IntVector half) {
        IntVector exponent = half.and(Half.EXPONENT);
        IntVector shifted = half.and(0x7fff).lanewise(VectorOperators.LSHL, 13);
        FloatVector small = (FloatVector) half.and(0x3ff).convertShape(VectorOperators.I2F, F32, 0);
        IntVector magnitude =
                shifted.add((127 - 15) << 23)
                        .blend(
                                small.mul(0x1p-24f).reinterpretAsInts(),
                                exponent.compare(VectorOperators.EQ, 0))
                        .blend(
                                shifted.or(ScalarArithmetic.F32_EXPONENT),
                                exponent.compare(VectorOperators.EQ, Half.EXPONENT));
        IntVector sign = half.and(0x8000).lanewise(VectorOperators.LSHL, 16);
        return magnitude.or(sign).reinterpretAsFloats();
    }

    private static int widenF64(long source, long target, int count) {
        int bound = count - count % DOUBLES;
        for (int i = 0; i < bound; i += DOUBLES) {
            DoubleVector wide =
                    DoubleVector.fromMemorySegment(
                            F64, Memory.ALL, source + (long) i * Double.BYTES, LITTLE_ENDIAN);
            wide.convertShape(VectorOperators.D2F, HALF_OF_F32, 0)
                    .reinterpretAsFloats()
                    .intoMemorySegment(Memory.ALL, target + (long) i * Float.BYTES, LITTLE_ENDIAN);
        }
        return bound;
    }

    private static int narrowBf16(long source, long target, int count) {
        int bound = count - count % FLOATS;
        for (int i = 0; i < bound; i += FLOATS) {
            storeShorts(encodeBf16(load(source, i)), target + (long) i * Short.BYTES);
        }
        return bound;
    }

    /// The nearest bfloat16 numbers, in the lower halves of the lanes.
    static IntVector encodeBf16(FloatVector value) {
        IntVector bits = value.reinterpretAsInts();
        IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
        IntVector rounded = bits.add(upper.and(1)).add(0x7fff).lanewise(VectorOperators.LSHR, 16);
        VectorMask<Integer> nan = value.test(VectorOperators.IS_NAN).cast(BITS32);
        return rounded.blend(upper.or(Brain.QUIET_BIT), nan);
    }

    private static int narrowF16(long source, long target, int count) {
        int bound = count - count % FLOATS;
        for (int i = 0; i < bound; i += FLOATS) {
            storeShorts(encodeF16(load(source, i)), target + (long) i * Short.BYTES);
        }
        return bound;
    }

    /// The nearest fp16 numbers, in the lower halves of the lanes. Three ranges: what overflows or
    /// is no number; what becomes subnormal, rounded by an addition that leaves no bits below
    /// 2^-24; and the rest, rounded in the integer domain.
    static IntVector encodeF16(FloatVector value) {
        int overflow = (127 + 16) << 23;
        int smallestNormal = (127 - 14) << 23;
        float subnormalMagic = 0.5f;
        IntVector bits = value.reinterpretAsInts();
        IntVector magnitude = bits.and(0x7fff_ffff);
        IntVector odd = magnitude.lanewise(VectorOperators.LSHR, 13).and(1);
        IntVector normal =
                magnitude
                        .add(((15 - 127) << 23) + 0xfff)
                        .add(odd)
                        .lanewise(VectorOperators.LSHR, 13);
        IntVector subnormal =
                magnitude
                        .reinterpretAsFloats()
                        .add(subnormalMagic)
                        .reinterpretAsInts()
                        .sub(Float.floatToRawIntBits(subnormalMagic));
        IntVector half =
                normal.blend(subnormal, magnitude.compare(VectorOperators.LT, smallestNormal))
                        .blend(Half.EXPONENT, magnitude.compare(VectorOperators.GE, overflow))
                        .blend(
                                Half.QUIET_NAN,
                                magnitude.compare(
                                        VectorOperators.GT, ScalarArithmetic.F32_EXPONENT));
        IntVector sign = bits.lanewise(VectorOperators.LSHR, 16).and(0x8000);
        return half.or(sign);
    }

    private static int narrowF64(long source, long target, int count) {
        int bound = count - count % DOUBLES;
        for (int i = 0; i < bound; i += DOUBLES) {
            FloatVector.fromMemorySegment(
                            HALF_OF_F32, Memory.ALL, source + (long) i * Float.BYTES, LITTLE_ENDIAN)
                    .convertShape(VectorOperators.F2D, F64, 0)
                    .reinterpretAsDoubles()
                    .intoMemorySegment(Memory.ALL, target + (long) i * Double.BYTES, LITTLE_ENDIAN);
        }
        return bound;
    }

    private static int countNonFinite64(long source, int bytes) {
        int found = 0;
        for (int at = 0; at < bytes; at += SHAPE.vectorBitSize() / 8) {
            LongVector bits =
                    LongVector.fromMemorySegment(BITS64, Memory.ALL, source + at, LITTLE_ENDIAN);
            found +=
                    bits.and(ScalarArithmetic.F64_EXPONENT)
                            .compare(VectorOperators.EQ, ScalarArithmetic.F64_EXPONENT)
                            .trueCount();
        }
        return found;
    }

    private static int countNonFinite32(long source, int bytes) {
        int found = 0;
        for (int at = 0; at < bytes; at += SHAPE.vectorBitSize() / 8) {
            IntVector bits =
                    IntVector.fromMemorySegment(BITS32, Memory.ALL, source + at, LITTLE_ENDIAN);
            found +=
                    bits.and(ScalarArithmetic.F32_EXPONENT)
                            .compare(VectorOperators.EQ, ScalarArithmetic.F32_EXPONENT)
                            .trueCount();
        }
        return found;
    }

    private static int countNonFinite16(long source, int bytes, short exponent) {
        int found = 0;
        for (int at = 0; at < bytes; at += SHAPE.vectorBitSize() / 8) {
            ShortVector bits =
                    ShortVector.fromMemorySegment(BITS16, Memory.ALL, source + at, LITTLE_ENDIAN);
            found += bits.and(exponent).compare(VectorOperators.EQ, exponent).trueCount();
        }
        return found;
    }

    private static FloatVector load(long address, int index) {
        return FloatVector.fromMemorySegment(
                F32, Memory.ALL, address + (long) index * Float.BYTES, LITTLE_ENDIAN);
    }

    private static void store(IntVector bits, long address, int index) {
        bits.intoMemorySegment(Memory.ALL, address + (long) index * Float.BYTES, LITTLE_ENDIAN);
    }

    /// Sixteen bits each, in the lower halves of the lanes.
    static IntVector loadShorts(long address) {
        return (IntVector)
                ShortVector.fromMemorySegment(HALF_OF_BITS16, Memory.ALL, address, LITTLE_ENDIAN)
                        .convertShape(VectorOperators.ZERO_EXTEND_S2I, BITS32, 0);
    }

    /// The lower halves of the lanes.
    static void storeShorts(IntVector values, long address) {
        values.convertShape(VectorOperators.I2S, HALF_OF_BITS16, 0)
                .reinterpretAsShorts()
                .intoMemorySegment(Memory.ALL, address, LITTLE_ENDIAN);
    }
}
