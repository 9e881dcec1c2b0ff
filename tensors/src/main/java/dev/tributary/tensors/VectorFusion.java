package dev.tributary.tensors;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// Loops that read several files' elements, compute and write without an intermediate result in
/// memory.
///
/// They call hardly anything of our own: past a certain size of a loop the compiler inlines only
/// what the JDK has marked, and a vector that crosses a call is an object in memory. So is one that
/// is carried from one step to the next, unless the compiler happens to know its class; counts are
/// kept in plain numbers instead.
final class VectorFusion {
    private static final VectorShape SHAPE = VectorArithmetic.SHAPE;
    private static final VectorSpecies<Float> F32 = VectorSpecies.of(float.class, SHAPE);
    private static final VectorSpecies<Integer> BITS32 = VectorSpecies.of(int.class, SHAPE);
    private static final int FLOATS = F32.length();

    /// Two bfloat16 numbers stand in each lane: the elements' order matters to none of these loops.
    private static final int PAIRS = SHAPE.vectorBitSize() / Byte.SIZE;

    private static final int UPPER = 0xffff_0000;
    private static final int HALF_UNIT = 0x7fff;
    private static final int QUIET = Brain.QUIET_BIT << 16;

    private VectorFusion() {}

    /// Experts a fused loop takes in at most.
    static final int MOST_EXPERTS = 8;

    private static final int FEW_EXPERTS = 4;

    /// Experts that are not there: the base once more, with a coefficient that leaves even the sign
    /// of a zero as it is. A loop over the experts inside of the loop over the elements would keep
    /// the sums in memory.
    private static final float NOTHING = -0f;

    /// @param experts at most [#MOST_EXPERTS]
    /// @param count a whole number of vectors
    static boolean combine(
            Dtype dtype,
            MemorySegment base,
            MemorySegment[] experts,
            float[] coefficients,
            MemorySegment target,
            int count) {
        long bytes = (long) count * dtype.bytes();
        long from = Memory.address(base, bytes);
        int room = experts.length <= FEW_EXPERTS ? FEW_EXPERTS : MOST_EXPERTS;
        long[] others = new long[room];
        float[] scales = new float[room];
        for (int k = 0; k < room; k++) {
            boolean there = k < experts.length;
            others[k] = there ? Memory.address(experts[k], bytes) : from;
            scales[k] = there ? coefficients[k] : NOTHING;
        }
        long to = Memory.address(target, bytes);
        boolean few = room == FEW_EXPERTS;
        return switch (dtype) {
            case BF16 ->
                    few
                            ? combineBf16(from, others, scales, to, bytes)
                            : combineManyBf16(from, others, scales, to, bytes);
            case F16 ->
                    few
                            ? combineF16(from, others, scales, to, bytes)
                            : combineManyF16(from, others, scales, to, bytes);
            case F32 ->
                    few
                            ? combineF32(from, others, scales, to, bytes)
                            : combineManyF32(from, others, scales, to, bytes);
            default -> throw ScalarArithmetic.notFloating(dtype);
        };
    }

    private static boolean combineBf16(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        long expert0 = experts[0];
        long expert1 = experts[1];
        long expert2 = experts[2];
        long expert3 = experts[3];
        FloatVector scale0 = FloatVector.broadcast(F32, coefficients[0]);
        FloatVector scale1 = FloatVector.broadcast(F32, coefficients[1]);
        FloatVector scale2 = FloatVector.broadcast(F32, coefficients[2]);
        FloatVector scale3 = FloatVector.broadcast(F32, coefficients[3]);
        int nonFinite = 0;
        for (long at = 0; at < bytes; at += PAIRS) {
            IntVector pair =
                    IntVector.fromMemorySegment(BITS32, Memory.ALL, base + at, LITTLE_ENDIAN);
            FloatVector low = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector high = pair.and(UPPER).reinterpretAsFloats();
            FloatVector lowSum = low;
            FloatVector highSum = high;
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert0 + at, LITTLE_ENDIAN);
            lowSum =
                    scale0.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale0.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert1 + at, LITTLE_ENDIAN);
            lowSum =
                    scale1.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale1.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert2 + at, LITTLE_ENDIAN);
            lowSum =
                    scale2.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale2.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert3 + at, LITTLE_ENDIAN);
            lowSum =
                    scale3.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale3.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            IntVector lowBits = lowSum.reinterpretAsInts();
            IntVector lowRounded =
                    lowBits.lanewise(VectorOperators.LSHR, 16)
                            .and(1)
                            .add(lowBits)
                            .add(HALF_UNIT)
                            .blend(
                                    lowBits.or(QUIET),
                                    lowBits.and(ScalarArithmetic.MAGNITUDE)
                                            .compare(
                                                    VectorOperators.GT,
                                                    ScalarArithmetic.F32_EXPONENT));
            IntVector highBits = highSum.reinterpretAsInts();
            IntVector highRounded =
                    highBits.lanewise(VectorOperators.LSHR, 16)
                            .and(1)
                            .add(highBits)
                            .add(HALF_UNIT)
                            .blend(
                                    highBits.or(QUIET),
                                    highBits.and(ScalarArithmetic.MAGNITUDE)
                                            .compare(
                                                    VectorOperators.GT,
                                                    ScalarArithmetic.F32_EXPONENT));
            nonFinite +=
                    lowRounded
                            .and(ScalarArithmetic.F32_EXPONENT)
                            .compare(VectorOperators.EQ, ScalarArithmetic.F32_EXPONENT)
                            .trueCount();
            nonFinite +=
                    highRounded
                            .and(ScalarArithmetic.F32_EXPONENT)
                            .compare(VectorOperators.EQ, ScalarArithmetic.F32_EXPONENT)
                            .trueCount();
            lowRounded
                    .lanewise(VectorOperators.LSHR, 16)
                    .or(highRounded.and(UPPER))
                    .intoMemorySegment(Memory.ALL, target + at, LITTLE_ENDIAN);
        }
        return nonFinite == 0;
    }

    private static boolean combineManyBf16(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        long expert0 = experts[0];
        long expert1 = experts[1];
        long expert2 = experts[2];
        long expert3 = experts[3];
        long expert4 = experts[4];
        long expert5 = experts[5];
        long expert6 = experts[6];
        long expert7 = experts[7];
        FloatVector scale0 = FloatVector.broadcast(F32, coefficients[0]);
        FloatVector scale1 = FloatVector.broadcast(F32, coefficients[1]);
        FloatVector scale2 = FloatVector.broadcast(F32, coefficients[2]);
        FloatVector scale3 = FloatVector.broadcast(F32, coefficients[3]);
        FloatVector scale4 = FloatVector.broadcast(F32, coefficients[4]);
        FloatVector scale5 = FloatVector.broadcast(F32, coefficients[5]);
        FloatVector scale6 = FloatVector.broadcast(F32, coefficients[6]);
        FloatVector scale7 = FloatVector.broadcast(F32, coefficients[7]);
        int nonFinite = 0;
        for (long at = 0; at < bytes; at += PAIRS) {
            IntVector pair =
                    IntVector.fromMemorySegment(BITS32, Memory.ALL, base + at, LITTLE_ENDIAN);
            FloatVector low = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
            FloatVector high = pair.and(UPPER).reinterpretAsFloats();
            FloatVector lowSum = low;
            FloatVector highSum = high;
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert0 + at, LITTLE_ENDIAN);
            lowSum =
                    scale0.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale0.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert1 + at, LITTLE_ENDIAN);
            lowSum =
                    scale1.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale1.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert2 + at, LITTLE_ENDIAN);
            lowSum =
                    scale2.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale2.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert3 + at, LITTLE_ENDIAN);
            lowSum =
                    scale3.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale3.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert4 + at, LITTLE_ENDIAN);
            lowSum =
                    scale4.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale4.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert5 + at, LITTLE_ENDIAN);
            lowSum =
                    scale5.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale5.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert6 + at, LITTLE_ENDIAN);
            lowSum =
                    scale6.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale6.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            pair = IntVector.fromMemorySegment(BITS32, Memory.ALL, expert7 + at, LITTLE_ENDIAN);
            lowSum =
                    scale7.fma(
                            pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().sub(low),
                            lowSum);
            highSum = scale7.fma(pair.and(UPPER).reinterpretAsFloats().sub(high), highSum);
            IntVector lowBits = lowSum.reinterpretAsInts();
            IntVector lowRounded =
                    lowBits.lanewise(VectorOperators.LSHR, 16)
                            .and(1)
                            .add(lowBits)
                            .add(HALF_UNIT)
                            .blend(
                                    lowBits.or(QUIET),
                                    lowBits.and(ScalarArithmetic.MAGNITUDE)
                                            .compare(
                                                    VectorOperators.GT,
                                                    ScalarArithmetic.F32_EXPONENT));
            IntVector highBits = highSum.reinterpretAsInts();
            IntVector highRounded =
                    highBits.lanewise(VectorOperators.LSHR, 16)
                            .and(1)
                            .add(highBits)
                            .add(HALF_UNIT)
                            .blend(
                                    highBits.or(QUIET),
                                    highBits.and(ScalarArithmetic.MAGNITUDE)
                                            .compare(
                                                    VectorOperators.GT,
                                                    ScalarArithmetic.F32_EXPONENT));
            nonFinite +=
                    lowRounded
                            .and(ScalarArithmetic.F32_EXPONENT)
                            .compare(VectorOperators.EQ, ScalarArithmetic.F32_EXPONENT)
                            .trueCount();
            nonFinite +=
                    highRounded
                            .and(ScalarArithmetic.F32_EXPONENT)
                            .compare(VectorOperators.EQ, ScalarArithmetic.F32_EXPONENT)
                            .trueCount();
            lowRounded
                    .lanewise(VectorOperators.LSHR, 16)
                    .or(highRounded.and(UPPER))
                    .intoMemorySegment(Memory.ALL, target + at, LITTLE_ENDIAN);
        }
        return nonFinite == 0;
    }

    private static boolean combineF16(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        long expert0 = experts[0];
        long expert1 = experts[1];
        long expert2 = experts[2];
        long expert3 = experts[3];
        FloatVector scale0 = FloatVector.broadcast(F32, coefficients[0]);
        FloatVector scale1 = FloatVector.broadcast(F32, coefficients[1]);
        FloatVector scale2 = FloatVector.broadcast(F32, coefficients[2]);
        FloatVector scale3 = FloatVector.broadcast(F32, coefficients[3]);
        int nonFinite = 0;
        for (long at = 0; at < bytes; at += (long) FLOATS * Short.BYTES) {
            FloatVector own = VectorConversion.decodeF16(shorts(base + at));
            FloatVector sum = own;
            sum = scale0.fma(VectorConversion.decodeF16(shorts(expert0 + at)).sub(own), sum);
            sum = scale1.fma(VectorConversion.decodeF16(shorts(expert1 + at)).sub(own), sum);
            sum = scale2.fma(VectorConversion.decodeF16(shorts(expert2 + at)).sub(own), sum);
            sum = scale3.fma(VectorConversion.decodeF16(shorts(expert3 + at)).sub(own), sum);
            IntVector rounded = VectorConversion.encodeF16(sum);
            nonFinite +=
                    rounded.and(Half.EXPONENT)
                            .compare(VectorOperators.EQ, Half.EXPONENT)
                            .trueCount();
            VectorConversion.storeShorts(rounded, target + at);
        }
        return nonFinite == 0;
    }

    private static boolean combineManyF16(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        long expert0 = experts[0];
        long expert1 = experts[1];
        long expert2 = experts[2];
        long expert3 = experts[3];
        long expert4 = experts[4];
        long expert5 = experts[5];
        long expert6 = experts[6];
        long expert7 = experts[7];
        FloatVector scale0 = FloatVector.broadcast(F32, coefficients[0]);
        FloatVector scale1 = FloatVector.broadcast(F32, coefficients[1]);
        FloatVector scale2 = FloatVector.broadcast(F32, coefficients[2]);
        FloatVector scale3 = FloatVector.broadcast(F32, coefficients[3]);
        FloatVector scale4 = FloatVector.broadcast(F32, coefficients[4]);
        FloatVector scale5 = FloatVector.broadcast(F32, coefficients[5]);
        FloatVector scale6 = FloatVector.broadcast(F32, coefficients[6]);
        FloatVector scale7 = FloatVector.broadcast(F32, coefficients[7]);
        int nonFinite = 0;
        for (long at = 0; at < bytes; at += (long) FLOATS * Short.BYTES) {
            FloatVector own = VectorConversion.decodeF16(shorts(base + at));
            FloatVector sum = own;
            sum = scale0.fma(VectorConversion.decodeF16(shorts(expert0 + at)).sub(own), sum);
            sum = scale1.fma(VectorConversion.decodeF16(shorts(expert1 + at)).sub(own), sum);
            sum = scale2.fma(VectorConversion.decodeF16(shorts(expert2 + at)).sub(own), sum);
            sum = scale3.fma(VectorConversion.decodeF16(shorts(expert3 + at)).sub(own), sum);
            sum = scale4.fma(VectorConversion.decodeF16(shorts(expert4 + at)).sub(own), sum);
            sum = scale5.fma(VectorConversion.decodeF16(shorts(expert5 + at)).sub(own), sum);
            sum = scale6.fma(VectorConversion.decodeF16(shorts(expert6 + at)).sub(own), sum);
            sum = scale7.fma(VectorConversion.decodeF16(shorts(expert7 + at)).sub(own), sum);
            IntVector rounded = VectorConversion.encodeF16(sum);
            nonFinite +=
                    rounded.and(Half.EXPONENT)
                            .compare(VectorOperators.EQ, Half.EXPONENT)
                            .trueCount();
            VectorConversion.storeShorts(rounded, target + at);
        }
        return nonFinite == 0;
    }

    private static boolean combineF32(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        long expert0 = experts[0];
        long expert1 = experts[1];
        long expert2 = experts[2];
        long expert3 = experts[3];
        FloatVector scale0 = FloatVector.broadcast(F32, coefficients[0]);
        FloatVector scale1 = FloatVector.broadcast(F32, coefficients[1]);
        FloatVector scale2 = FloatVector.broadcast(F32, coefficients[2]);
        FloatVector scale3 = FloatVector.broadcast(F32, coefficients[3]);
        int nonFinite = 0;
        for (long at = 0; at < bytes; at += (long) FLOATS * Float.BYTES) {
            FloatVector own = floats(base + at);
            FloatVector sum = own;
            sum = scale0.fma(floats(expert0 + at).sub(own), sum);
            sum = scale1.fma(floats(expert1 + at).sub(own), sum);
            sum = scale2.fma(floats(expert2 + at).sub(own), sum);
            sum = scale3.fma(floats(expert3 + at).sub(own), sum);
            nonFinite +=
                    sum.reinterpretAsInts()
                            .and(ScalarArithmetic.F32_EXPONENT)
                            .compare(VectorOperators.EQ, ScalarArithmetic.F32_EXPONENT)
                            .trueCount();
            sum.intoMemorySegment(Memory.ALL, target + at, LITTLE_ENDIAN);
        }
        return nonFinite == 0;
    }

    private static boolean combineManyF32(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        long expert0 = experts[0];
        long expert1 = experts[1];
        long expert2 = experts[2];
        long expert3 = experts[3];
        long expert4 = experts[4];
        long expert5 = experts[5];
        long expert6 = experts[6];
        long expert7 = experts[7];
        FloatVector scale0 = FloatVector.broadcast(F32, coefficients[0]);
        FloatVector scale1 = FloatVector.broadcast(F32, coefficients[1]);
        FloatVector scale2 = FloatVector.broadcast(F32, coefficients[2]);
        FloatVector scale3 = FloatVector.broadcast(F32, coefficients[3]);
        FloatVector scale4 = FloatVector.broadcast(F32, coefficients[4]);
        FloatVector scale5 = FloatVector.broadcast(F32, coefficients[5]);
        FloatVector scale6 = FloatVector.broadcast(F32, coefficients[6]);
        FloatVector scale7 = FloatVector.broadcast(F32, coefficients[7]);
        int nonFinite = 0;
        for (long at = 0; at < bytes; at += (long) FLOATS * Float.BYTES) {
            FloatVector own = floats(base + at);
            FloatVector sum = own;
            sum = scale0.fma(floats(expert0 + at).sub(own), sum);
            sum = scale1.fma(floats(expert1 + at).sub(own), sum);
            sum = scale2.fma(floats(expert2 + at).sub(own), sum);
            sum = scale3.fma(floats(expert3 + at).sub(own), sum);
            sum = scale4.fma(floats(expert4 + at).sub(own), sum);
            sum = scale5.fma(floats(expert5 + at).sub(own), sum);
            sum = scale6.fma(floats(expert6 + at).sub(own), sum);
            sum = scale7.fma(floats(expert7 + at).sub(own), sum);
            nonFinite +=
                    sum.reinterpretAsInts()
                            .and(ScalarArithmetic.F32_EXPONENT)
                            .compare(VectorOperators.EQ, ScalarArithmetic.F32_EXPONENT)
                            .trueCount();
            sum.intoMemorySegment(Memory.ALL, target + at, LITTLE_ENDIAN);
        }
        return nonFinite == 0;
    }

    static long bracket(
            Dtype dtype,
            MemorySegment left,
            MemorySegment right,
            int low,
            int high,
            int[] collected,
            int count) {
        long bytes = (long) count * dtype.bytes();
        long one = Memory.address(left, bytes);
        long other = Memory.address(right, bytes);
        int lanes = dtype == Dtype.BF16 ? 2 * FLOATS : FLOATS;
        int bound = count - count % lanes;
        long found =
                switch (dtype) {
                    case BF16 -> bracketBf16(one, other, low, high, collected, bound);
                    case F32 -> bracketF32(one, other, low, high, collected, bound);
                    default -> throw ScalarArithmetic.notFloating(dtype);
                };
        long above = found >>> Integer.SIZE;
        int size = (int) found;
        for (int i = bound; i < count; i++) {
            long at = (long) i * dtype.bytes();
            float difference =
                    ScalarArithmetic.element(dtype, left, at)
                            - ScalarArithmetic.element(dtype, right, at);
            int magnitude = Float.floatToRawIntBits(difference) & ScalarArithmetic.MAGNITUDE;
            if (magnitude > high) {
                above++;
            } else if (magnitude >= low) {
                collected[size++] = magnitude;
            }
        }
        return above << Integer.SIZE | size;
    }

    private static long bracketBf16(
            long left, long right, int low, int high, int[] collected, int count) {
        long above = 0;
        int size = 0;
        long bytes = (long) count * Short.BYTES;
        for (long at = 0; at < bytes; at += PAIRS) {
            IntVector one =
                    IntVector.fromMemorySegment(BITS32, Memory.ALL, left + at, LITTLE_ENDIAN);
            IntVector other =
                    IntVector.fromMemorySegment(BITS32, Memory.ALL, right + at, LITTLE_ENDIAN);
            IntVector lower =
                    one.lanewise(VectorOperators.LSHL, 16)
                            .reinterpretAsFloats()
                            .sub(other.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats())
                            .reinterpretAsInts()
                            .and(ScalarArithmetic.MAGNITUDE);
            IntVector upper =
                    one.and(UPPER)
                            .reinterpretAsFloats()
                            .sub(other.and(UPPER).reinterpretAsFloats())
                            .reinterpretAsInts()
                            .and(ScalarArithmetic.MAGNITUDE);
            above += lower.compare(VectorOperators.GT, high).trueCount();
            above += upper.compare(VectorOperators.GT, high).trueCount();
            VectorMask<Integer> lowerIn =
                    lower.compare(VectorOperators.GE, low)
                            .and(lower.compare(VectorOperators.LE, high));
            lower.compress(lowerIn).intoArray(collected, size);
            size += lowerIn.trueCount();
            VectorMask<Integer> upperIn =
                    upper.compare(VectorOperators.GE, low)
                            .and(upper.compare(VectorOperators.LE, high));
            upper.compress(upperIn).intoArray(collected, size);
            size += upperIn.trueCount();
        }
        return above << Integer.SIZE | size;
    }

    private static long bracketF32(
            long left, long right, int low, int high, int[] collected, int count) {
        long above = 0;
        int size = 0;
        for (int i = 0; i < count; i += FLOATS) {
            long at = (long) i * Float.BYTES;
            IntVector magnitude = magnitude(floats(left + at), floats(right + at));
            above += magnitude.compare(VectorOperators.GT, high).trueCount();
            size += collect(magnitude, low, high, collected, size);
        }
        return above << Integer.SIZE | size;
    }

    private static IntVector magnitude(FloatVector one, FloatVector other) {
        return one.sub(other).reinterpretAsInts().and(ScalarArithmetic.MAGNITUDE);
    }

    /// Writes a whole vector, of which only the beginning counts.
    private static int collect(IntVector magnitude, int low, int high, int[] collected, int size) {
        VectorMask<Integer> inside =
                magnitude
                        .compare(VectorOperators.GE, low)
                        .and(magnitude.compare(VectorOperators.LE, high));
        magnitude.compress(inside).intoArray(collected, size);
        return inside.trueCount();
    }

    private static IntVector shorts(long address) {
        return VectorConversion.loadShorts(address);
    }

    private static FloatVector floats(long address) {
        return FloatVector.fromMemorySegment(F32, Memory.ALL, address, LITTLE_ENDIAN);
    }
}
