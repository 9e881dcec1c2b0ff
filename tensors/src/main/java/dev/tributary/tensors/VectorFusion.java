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
/// They take their operands' addresses: a loop over an array of segments spends more on checking
/// each of them again at every step than on the arithmetic. Bounds and liveness are checked once,
/// before the loop; whoever owns the memory must not free it meanwhile, as is true of all kernels.
final class VectorFusion {
    private static final VectorShape SHAPE = VectorArithmetic.SHAPE;
    private static final VectorSpecies<Float> F32 = VectorSpecies.of(float.class, SHAPE);
    private static final VectorSpecies<Integer> BITS32 = VectorSpecies.of(int.class, SHAPE);
    private static final int FLOATS = F32.length();

    @SuppressWarnings("restricted")
    private static final MemorySegment MEMORY = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private VectorFusion() {}

    /// @param count a whole number of vectors
    static boolean combine(
            Dtype dtype,
            MemorySegment base,
            MemorySegment[] experts,
            float[] coefficients,
            MemorySegment target,
            int count) {
        long bytes = (long) count * dtype.bytes();
        long from = address(base, bytes);
        long[] others = new long[experts.length];
        for (int k = 0; k < others.length; k++) {
            others[k] = address(experts[k], bytes);
        }
        long to = address(target, bytes);
        return switch (dtype) {
            case BF16 -> combineBf16(from, others, coefficients, to, bytes);
            case F16 -> combineF16(from, others, coefficients, to, bytes);
            case F32 -> combineF32(from, others, coefficients, to, bytes);
            default -> throw ScalarArithmetic.notFloating(dtype);
        };
    }

    private static boolean combineBf16(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        IntVector carries = IntVector.zero(BITS32);
        for (long at = 0; at < bytes; at += (long) FLOATS * Short.BYTES) {
            FloatVector own = VectorConversion.decodeBf16(shorts(base + at));
            FloatVector sum = own;
            for (int k = 0; k < experts.length; k++) {
                FloatVector expert = VectorConversion.decodeBf16(shorts(experts[k] + at));
                sum = FloatVector.broadcast(F32, coefficients[k]).fma(expert.sub(own), sum);
            }
            IntVector rounded = VectorConversion.encodeBf16(sum);
            carries = carries.or(rounded.and(Brain.EXPONENT).add(0x80));
            VectorConversion.storeShorts(rounded, MEMORY, target + at);
        }
        return (carries.reduceLanes(VectorOperators.OR) & 0x8000) == 0;
    }

    private static boolean combineF16(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        IntVector carries = IntVector.zero(BITS32);
        for (long at = 0; at < bytes; at += (long) FLOATS * Short.BYTES) {
            FloatVector own = VectorConversion.decodeF16(shorts(base + at));
            FloatVector sum = own;
            for (int k = 0; k < experts.length; k++) {
                FloatVector expert = VectorConversion.decodeF16(shorts(experts[k] + at));
                sum = FloatVector.broadcast(F32, coefficients[k]).fma(expert.sub(own), sum);
            }
            IntVector rounded = VectorConversion.encodeF16(sum);
            carries = carries.or(rounded.and(Half.EXPONENT).add(0x400));
            VectorConversion.storeShorts(rounded, MEMORY, target + at);
        }
        return (carries.reduceLanes(VectorOperators.OR) & 0x8000) == 0;
    }

    private static boolean combineF32(
            long base, long[] experts, float[] coefficients, long target, long bytes) {
        IntVector carries = IntVector.zero(BITS32);
        for (long at = 0; at < bytes; at += (long) FLOATS * Float.BYTES) {
            FloatVector own = floats(base + at);
            FloatVector sum = own;
            for (int k = 0; k < experts.length; k++) {
                FloatVector expert = floats(experts[k] + at);
                sum = FloatVector.broadcast(F32, coefficients[k]).fma(expert.sub(own), sum);
            }
            carries =
                    carries.or(
                            sum.reinterpretAsInts()
                                    .and(ScalarArithmetic.F32_EXPONENT)
                                    .add(0x80_0000));
            sum.intoMemorySegment(MEMORY, target + at, LITTLE_ENDIAN);
        }
        return carries.reduceLanes(VectorOperators.OR) >= 0;
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
        long one = address(left, bytes);
        long other = address(right, bytes);
        int bound = count - count % FLOATS;
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
        IntVector above = IntVector.zero(BITS32);
        int size = 0;
        for (int i = 0; i < count; i += FLOATS) {
            long at = (long) i * Short.BYTES;
            FloatVector one = VectorConversion.decodeBf16(shorts(left + at));
            IntVector magnitude = magnitude(one, VectorConversion.decodeBf16(shorts(right + at)));
            above = above.sub(1, magnitude.compare(VectorOperators.GT, high));
            size += collect(magnitude, low, high, collected, size);
        }
        return -(long) above.reduceLanes(VectorOperators.ADD) << Integer.SIZE | size;
    }

    private static long bracketF32(
            long left, long right, int low, int high, int[] collected, int count) {
        IntVector above = IntVector.zero(BITS32);
        int size = 0;
        for (int i = 0; i < count; i += FLOATS) {
            long at = (long) i * Float.BYTES;
            IntVector magnitude = magnitude(floats(left + at), floats(right + at));
            above = above.sub(1, magnitude.compare(VectorOperators.GT, high));
            size += collect(magnitude, low, high, collected, size);
        }
        return -(long) above.reduceLanes(VectorOperators.ADD) << Integer.SIZE | size;
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
        return VectorConversion.loadShorts(MEMORY, address);
    }

    private static FloatVector floats(long address) {
        return FloatVector.fromMemorySegment(F32, MEMORY, address, LITTLE_ENDIAN);
    }

    private static long address(MemorySegment segment, long bytes) {
        if (!segment.isNative() || !segment.scope().isAlive()) {
            throw new IllegalStateException("expected live native memory, was " + segment);
        }
        return segment.asSlice(0, bytes).address();
    }
}
