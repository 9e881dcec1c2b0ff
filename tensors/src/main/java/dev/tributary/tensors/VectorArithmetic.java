package dev.tributary.tensors;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/// The kernels of [ScalarArithmetic] with the processor's vector instructions, bit for bit the
/// same. What does not fill a vector at the end is left to the scalar kernels.
final class VectorArithmetic implements Arithmetic {
    /// The vectors used: the processor's widest, at most 512 bits.
    static final VectorShape SHAPE = shape();

    private static final VectorSpecies<Float> F32 = VectorSpecies.of(float.class, SHAPE);
    private static final VectorSpecies<Double> F64 = VectorSpecies.of(double.class, SHAPE);
    private static final VectorSpecies<Float> HALF_OF_F32 =
            VectorSpecies.of(float.class, VectorShape.forBitSize(SHAPE.vectorBitSize() / 2));
    private static final int FLOATS = F32.length();
    private static final int DOUBLES = F64.length();

    private final ScalarArithmetic scalar = new ScalarArithmetic();

    /// Vectors wider than 512 bits would not fit the sixteen lanes of a sum.
    private static VectorShape shape() {
        VectorShape preferred = VectorShape.preferredShape();
        return preferred.vectorBitSize() > VectorShape.S_512_BIT.vectorBitSize()
                ? VectorShape.S_512_BIT
                : preferred;
    }

    @Override
    public String description() {
        return "vector %d bit".formatted(SHAPE.vectorBitSize());
    }

    @Override
    public void widen(Dtype dtype, MemorySegment source, MemorySegment target, int count) {
        if (dtype == Dtype.F32) {
            MemorySegment.copy(source, 0, target, 0, (long) count * Float.BYTES);
            return;
        }
        int done = VectorConversion.widen(dtype, source, target, count);
        scalar.widen(dtype, from(source, dtype, done), from(target, done), count - done);
    }

    @Override
    public void narrow(MemorySegment source, Dtype dtype, MemorySegment target, int count) {
        if (dtype == Dtype.F32) {
            MemorySegment.copy(source, 0, target, 0, (long) count * Float.BYTES);
            return;
        }
        int done = VectorConversion.narrow(source, dtype, target, count);
        scalar.narrow(from(source, done), dtype, from(target, dtype, done), count - done);
    }

    @Override
    public boolean combine(
            Dtype dtype,
            MemorySegment base,
            MemorySegment[] experts,
            float[] coefficients,
            MemorySegment target,
            int count) {
        int bound = count - count % (SHAPE.vectorBitSize() / Byte.SIZE / dtype.bytes());
        boolean finite;
        try {
            finite = VectorFusion.combine(dtype, base, experts, coefficients, target, bound);
        } finally {
            Reference.reachabilityFence(base);
            Reference.reachabilityFence(experts);
            Reference.reachabilityFence(target);
        }
        if (bound == count) {
            return finite;
        }
        MemorySegment[] rest = new MemorySegment[experts.length];
        for (int k = 0; k < rest.length; k++) {
            rest[k] = from(experts[k], dtype, bound);
        }
        return scalar.combine(
                        dtype,
                        from(base, dtype, bound),
                        rest,
                        coefficients,
                        from(target, dtype, bound),
                        count - bound)
                && finite;
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
        try {
            return VectorFusion.bracket(dtype, left, right, low, high, collected, count);
        } finally {
            Reference.reachabilityFence(left);
            Reference.reachabilityFence(right);
        }
    }

    @Override
    public int countNonFinite(Dtype dtype, MemorySegment source, int count) {
        int bound = count - count % (SHAPE.vectorBitSize() / Byte.SIZE / dtype.bytes());
        return VectorConversion.countNonFinite(dtype, source, bound)
                + scalar.countNonFinite(dtype, from(source, dtype, bound), count - bound);
    }

    @Override
    public void accumulateDifference(
            MemorySegment accumulator,
            float coefficient,
            MemorySegment left,
            MemorySegment right,
            int count) {
        long accumulatorAt = Memory.floats(accumulator, count);
        long leftAt = Memory.floats(left, count);
        long rightAt = Memory.floats(right, count);
        FloatVector scale = FloatVector.broadcast(F32, coefficient);
        int bound = count - count % FLOATS;
        for (int i = 0; i < bound; i += FLOATS) {
            FloatVector difference = load(leftAt, i).sub(load(rightAt, i));
            store(scale.fma(difference, load(accumulatorAt, i)), accumulatorAt, i);
        }
        scalar.accumulateDifference(
                from(accumulator, bound),
                coefficient,
                from(left, bound),
                from(right, bound),
                count - bound);
    }

    @Override
    public void difference(
            MemorySegment left, MemorySegment right, MemorySegment target, int count) {
        long leftAt = Memory.floats(left, count);
        long rightAt = Memory.floats(right, count);
        long targetAt = Memory.floats(target, count);
        int bound = count - count % FLOATS;
        for (int i = 0; i < bound; i += FLOATS) {
            store(load(leftAt, i).sub(load(rightAt, i)), targetAt, i);
        }
        scalar.difference(
                from(left, bound), from(right, bound), from(target, bound), count - bound);
    }

    @Override
    public void axpy(float a, MemorySegment x, MemorySegment y, int count) {
        long xAt = Memory.floats(x, count);
        long yAt = Memory.floats(y, count);
        FloatVector scale = FloatVector.broadcast(F32, a);
        int bound = count - count % FLOATS;
        for (int i = 0; i < bound; i += FLOATS) {
            store(scale.fma(load(xAt, i), load(yAt, i)), yAt, i);
        }
        scalar.axpy(a, from(x, bound), from(y, bound), count - bound);
    }

    /// Sums the lanes in groups as wide as a vector of doubles, one pass over the operands each:
    /// operands are tiles that stay in the first-level cache.
    @Override
    public void dot(double[] lanes, MemorySegment x, MemorySegment y, int count) {
        long xAt = Memory.floats(x, count);
        long yAt = Memory.floats(y, count);
        int bound = count - count % LANES;
        for (int group = 0; group < LANES; group += DOUBLES) {
            DoubleVector sum = DoubleVector.fromArray(F64, lanes, group);
            for (int i = group; i < bound; i += LANES) {
                sum = loadDoubles(xAt, i).fma(loadDoubles(yAt, i), sum);
            }
            sum.intoArray(lanes, group);
        }
        scalar.dot(lanes, from(x, bound), from(y, bound), count - bound);
    }

    @Override
    public void dotDifference(
            double[] lanes,
            MemorySegment gradient,
            MemorySegment left,
            MemorySegment right,
            int count) {
        long gradientAt = Memory.floats(gradient, count);
        long leftAt = Memory.floats(left, count);
        long rightAt = Memory.floats(right, count);
        int bound = count - count % LANES;
        for (int group = 0; group < LANES; group += DOUBLES) {
            DoubleVector sum = DoubleVector.fromArray(F64, lanes, group);
            for (int i = group; i < bound; i += LANES) {
                FloatVector difference = loadHalf(leftAt, i).sub(loadHalf(rightAt, i));
                sum = loadDoubles(gradientAt, i).fma(doubles(difference), sum);
            }
            sum.intoArray(lanes, group);
        }
        scalar.dotDifference(
                lanes, from(gradient, bound), from(left, bound), from(right, bound), count - bound);
    }

    @Override
    public void adamW(
            AdamW.Factors factors,
            MemorySegment weights,
            MemorySegment gradient,
            MemorySegment firstMoment,
            MemorySegment secondMoment,
            int count) {
        long weightsAt = Memory.floats(weights, count);
        long gradientAt = Memory.floats(gradient, count);
        long firstMomentAt = Memory.floats(firstMoment, count);
        long secondMomentAt = Memory.floats(secondMoment, count);
        FloatVector newShare = FloatVector.broadcast(F32, factors.oneMinusBeta1());
        FloatVector epsilon = FloatVector.broadcast(F32, factors.epsilon());
        FloatVector rootScale = FloatVector.broadcast(F32, factors.rootScale());
        FloatVector step = FloatVector.broadcast(F32, factors.negativeStep());
        int bound = count - count % FLOATS;
        for (int i = 0; i < bound; i += FLOATS) {
            FloatVector g = load(gradientAt, i);
            FloatVector m = newShare.fma(g, load(firstMomentAt, i).mul(factors.beta1()));
            FloatVector v =
                    g.mul(factors.oneMinusBeta2())
                            .fma(g, load(secondMomentAt, i).mul(factors.beta2()));
            FloatVector root = v.lanewise(VectorOperators.SQRT).fma(rootScale, epsilon);
            FloatVector kept = load(weightsAt, i).mul(factors.keep());
            store(m, firstMomentAt, i);
            store(v, secondMomentAt, i);
            store(step.fma(m.div(root), kept), weightsAt, i);
        }
        scalar.adamW(
                factors,
                from(weights, bound),
                from(gradient, bound),
                from(firstMoment, bound),
                from(secondMoment, bound),
                count - bound);
    }

    @Override
    public void magnitudeBits(MemorySegment left, MemorySegment right, int[] bits, int count) {
        long leftAt = Memory.floats(left, count);
        long rightAt = Memory.floats(right, count);
        int i = 0;
        for (; i <= count - FLOATS; i += FLOATS) {
            FloatVector magnitude = load(leftAt, i).sub(load(rightAt, i)).abs();
            magnitude.reinterpretAsInts().intoArray(bits, i);
        }
        for (; i < count; i++) {
            bits[i] =
                    Float.floatToRawIntBits(
                            Math.abs(
                                    ScalarArithmetic.get(left, i)
                                            - ScalarArithmetic.get(right, i)));
        }
    }

    private static FloatVector load(long address, int index) {
        return FloatVector.fromMemorySegment(
                F32, Memory.ALL, address + (long) index * Float.BYTES, LITTLE_ENDIAN);
    }

    private static void store(FloatVector vector, long address, int index) {
        vector.intoMemorySegment(Memory.ALL, address + (long) index * Float.BYTES, LITTLE_ENDIAN);
    }

    private static FloatVector loadHalf(long address, int index) {
        return FloatVector.fromMemorySegment(
                HALF_OF_F32, Memory.ALL, address + (long) index * Float.BYTES, LITTLE_ENDIAN);
    }

    private static DoubleVector loadDoubles(long address, int index) {
        return doubles(loadHalf(address, index));
    }

    private static DoubleVector doubles(FloatVector half) {
        return (DoubleVector) half.convertShape(VectorOperators.F2D, F64, 0);
    }

    private static MemorySegment from(MemorySegment segment, int element) {
        return from(segment, Dtype.F32, element);
    }

    private static MemorySegment from(MemorySegment segment, Dtype dtype, int element) {
        return segment.asSlice((long) element * dtype.bytes());
    }
}
