package dev.tributary.merging.method;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The inner loops over one tile of task vectors, in native fp32 memory. Each is a vector loop and,
/// for what is left over, the scalar loop that says what it means; both give the same bits.
///
/// A NaN or an infinity is never thinned out: it stays to be found in the result.
final class TileLoops {
    static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

    static final ValueLayout.OfFloat F32 =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(LITTLE_ENDIAN);
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final IntVector STEPS = IntVector.zero(INTS).addIndex(1);
    private static final int INFINITE = Float.floatToRawIntBits(Float.POSITIVE_INFINITY);

    private TileLoops() {}

    static float get(MemorySegment tile, int index) {
        return tile.get(F32, (long) index * Float.BYTES);
    }

    static void set(MemorySegment tile, int index, float value) {
        tile.set(F32, (long) index * Float.BYTES, value);
    }

    /// The bits of a value's magnitude, which order as magnitudes do, with NaNs above all.
    static int magnitude(float value) {
        return Float.floatToRawIntBits(value) & 0x7fffffff;
    }

    /// Scales entries and adds them to a sum: `entry = scale * entry; sum = sum + entry`.
    static void weigh(MemorySegment entries, float scale, MemorySegment sum, int count) {
        int bound = LANES.loopBound(count);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entries, i).mul(scale);
            store(entry, entries, i);
            store(load(sum, i).add(entry), sum, i);
        }
        for (int i = bound; i < count; i++) {
            float entry = get(entries, i) * scale;
            set(entries, i, entry);
            set(sum, i, get(sum, i) + entry);
        }
    }

    /// `target = base + scale * sum`.
    static void scaleOnto(
            MemorySegment base, float scale, MemorySegment sum, MemorySegment target, int count) {
        int bound = LANES.loopBound(count);
        FloatVector factor = FloatVector.broadcast(LANES, scale);
        for (int i = 0; i < bound; i += LANES.length()) {
            store(factor.fma(load(sum, i), load(base, i)), target, i);
        }
        for (int i = bound; i < count; i++) {
            set(target, i, Math.fma(scale, get(sum, i), get(base, i)));
        }
    }

    /// `target = target + entries * entries`, rounded once.
    static void addSquares(MemorySegment entries, MemorySegment target, int count) {
        int bound = LANES.loopBound(count);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entries, i);
            store(entry.fma(entry, load(target, i)), target, i);
        }
        for (int i = bound; i < count; i++) {
            float entry = get(entries, i);
            set(target, i, Math.fma(entry, entry, get(target, i)));
        }
    }

    /// Zeroes what is smaller in magnitude than a cut.
    static void keepFrom(MemorySegment entries, int cut, int count) {
        int bound = LANES.loopBound(count);
        FloatVector zero = FloatVector.zero(LANES);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entries, i);
            VectorMask<Float> keep =
                    entry.reinterpretAsInts()
                            .and(0x7fffffff)
                            .compare(VectorOperators.GE, cut)
                            .cast(LANES);
            store(zero.blend(entry, keep), entries, i);
        }
        for (int i = bound; i < count; i++) {
            if (magnitude(get(entries, i)) < cut) {
                set(entries, i, 0f);
            }
        }
    }

    /// Zeroes what is as large in magnitude as a cut, or larger, but finite.
    static void dropFrom(MemorySegment entries, int cut, int count) {
        int bound = LANES.loopBound(count);
        FloatVector zero = FloatVector.zero(LANES);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entries, i);
            IntVector bits = entry.reinterpretAsInts().and(0x7fffffff);
            VectorMask<Float> drop =
                    bits.compare(VectorOperators.GE, cut)
                            .and(bits.compare(VectorOperators.LT, INFINITE))
                            .cast(LANES);
            store(entry.blend(zero, drop), entries, i);
        }
        for (int i = bound; i < count; i++) {
            int bits = magnitude(get(entries, i));
            if (bits >= cut && bits < INFINITE) {
                set(entries, i, 0f);
            }
        }
    }

    /// Zeroes entries at random and scales the rest: entry `i` stays when its draw, a number that
    /// follows from the keys and its index alone, is below the threshold.
    ///
    /// @param index of the first entry in its tensor
    /// @param threshold of draws from 0 to 2^31 - 1
    static void thin(
            MemorySegment entries, long key, long index, int threshold, float scale, int count) {
        int bound = LANES.loopBound(count);
        int first = (int) index;
        int high = Draws.highKey(key, index);
        int low = (int) key;
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entries, i);
            IntVector draw = STEPS.add(first + i).lanewise(VectorOperators.XOR, low);
            draw = mix(draw, 16).mul(Draws.FIRST);
            draw = mix(draw, 15).lanewise(VectorOperators.XOR, high).mul(Draws.SECOND);
            draw = mix(draw, 15).mul(Draws.THIRD);
            draw = mix(draw, 16).lanewise(VectorOperators.LSHR, 1);
            VectorMask<Float> keep = draw.compare(VectorOperators.LT, threshold).cast(LANES);
            store(entry.mul(0f).blend(entry.mul(scale), keep), entries, i);
        }
        for (int i = bound; i < count; i++) {
            float entry = get(entries, i);
            boolean keep = Draws.draw(key, index + i) < threshold;
            set(entries, i, keep ? entry * scale : entry * 0f);
        }
    }

    private static IntVector mix(IntVector value, int shift) {
        return value.lanewise(VectorOperators.XOR, value.lanewise(VectorOperators.LSHR, shift));
    }

    /// Elects each entry's sign by its mass, plus where it is zero, and adds the mean of the
    /// entries that agree with it to the base. A NaN or an infinity agrees with no sign but shows
    /// in the mass, and so in the result.
    ///
    /// @param kept the thinned and weighted task vectors
    /// @param normalize whether the sum is divided by the weights of those that agree
    static void elect(
            MemorySegment[] kept,
            float[] weights,
            MemorySegment mass,
            MemorySegment base,
            float lambda,
            boolean normalize,
            MemorySegment target,
            int count) {
        int bound = LANES.loopBound(count);
        FloatVector zero = FloatVector.zero(LANES);
        FloatVector scale = FloatVector.broadcast(LANES, lambda);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector elected = load(mass, i);
            VectorMask<Float> plus = elected.compare(VectorOperators.GE, 0f);
            FloatVector sum = zero;
            FloatVector divisor = zero;
            for (int m = 0; m < kept.length; m++) {
                FloatVector entry = load(kept[m], i);
                // Where minus is elected the entry is negated: then both ask for "> 0".
                VectorMask<Float> agrees =
                        entry.neg().blend(entry, plus).compare(VectorOperators.GT, 0f);
                sum = sum.add(entry, agrees);
                divisor = divisor.add(weights[m], agrees);
            }
            if (normalize) {
                VectorMask<Float> divides = divisor.compare(VectorOperators.NE, 0f);
                sum = sum.div(divisor, divides);
            }
            FloatVector poison = elected.mul(0f);
            store(scale.fma(sum.add(poison), load(base, i)), target, i);
        }
        for (int i = bound; i < count; i++) {
            float sum = 0;
            float divisor = 0;
            float elected = get(mass, i);
            for (int m = 0; m < kept.length; m++) {
                float entry = get(kept[m], i);
                if (elected >= 0 ? entry > 0 : entry < 0) {
                    sum += entry;
                    divisor += weights[m];
                }
            }
            float mean = normalize && divisor != 0 ? sum / divisor : sum;
            set(target, i, Math.fma(lambda, mean + elected * 0f, get(base, i)));
        }
    }

    private static FloatVector load(MemorySegment tile, int index) {
        return FloatVector.fromMemorySegment(
                LANES, tile, (long) index * Float.BYTES, LITTLE_ENDIAN);
    }

    private static void store(FloatVector values, MemorySegment tile, int index) {
        values.intoMemorySegment(tile, (long) index * Float.BYTES, LITTLE_ENDIAN);
    }
}
