package dev.tributary.merging.method;

import static java.nio.ByteOrder.LITTLE_ENDIAN;

import dev.tributary.tensors.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
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

    /// Experts the election has loops of its own for, filled up with zeros, which agree with
    /// nobody: a loop over the experts inside of the loop over the entries would keep the sums in
    /// memory.
    private static final int FEW = 4;

    private static final int MANY = 8;

    private static final MemorySegment ZEROS =
            Arena.global().allocate((long) Tiles.SIZE * Float.BYTES, 64).asReadOnly();

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
        long entriesAt = Memory.floats(entries, count);
        long sumAt = Memory.floats(sum, count);
        int bound = LANES.loopBound(count);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entriesAt, i).mul(scale);
            store(entry, entriesAt, i);
            store(load(sumAt, i).add(entry), sumAt, i);
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
        long baseAt = Memory.floats(base, count);
        long sumAt = Memory.floats(sum, count);
        long targetAt = Memory.floats(target, count);
        int bound = LANES.loopBound(count);
        FloatVector factor = FloatVector.broadcast(LANES, scale);
        for (int i = 0; i < bound; i += LANES.length()) {
            store(factor.fma(load(sumAt, i), load(baseAt, i)), targetAt, i);
        }
        for (int i = bound; i < count; i++) {
            set(target, i, Math.fma(scale, get(sum, i), get(base, i)));
        }
    }

    /// `target = target + entries * entries`, rounded once.
    static void addSquares(MemorySegment entries, MemorySegment target, int count) {
        long entriesAt = Memory.floats(entries, count);
        long targetAt = Memory.floats(target, count);
        int bound = LANES.loopBound(count);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entriesAt, i);
            store(entry.fma(entry, load(targetAt, i)), targetAt, i);
        }
        for (int i = bound; i < count; i++) {
            float entry = get(entries, i);
            set(target, i, Math.fma(entry, entry, get(target, i)));
        }
    }

    /// Zeroes what is smaller in magnitude than a cut.
    static void keepFrom(MemorySegment entries, int cut, int count) {
        long entriesAt = Memory.floats(entries, count);
        int bound = LANES.loopBound(count);
        FloatVector zero = FloatVector.zero(LANES);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entriesAt, i);
            VectorMask<Float> keep =
                    entry.reinterpretAsInts()
                            .and(0x7fffffff)
                            .compare(VectorOperators.GE, cut)
                            .cast(LANES);
            store(zero.blend(entry, keep), entriesAt, i);
        }
        for (int i = bound; i < count; i++) {
            if (magnitude(get(entries, i)) < cut) {
                set(entries, i, 0f);
            }
        }
    }

    /// Zeroes what is as large in magnitude as a cut, or larger, but finite.
    static void dropFrom(MemorySegment entries, int cut, int count) {
        long entriesAt = Memory.floats(entries, count);
        int bound = LANES.loopBound(count);
        FloatVector zero = FloatVector.zero(LANES);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entriesAt, i);
            IntVector bits = entry.reinterpretAsInts().and(0x7fffffff);
            VectorMask<Float> drop =
                    bits.compare(VectorOperators.GE, cut)
                            .and(bits.compare(VectorOperators.LT, INFINITE))
                            .cast(LANES);
            store(entry.blend(zero, drop), entriesAt, i);
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
        long entriesAt = Memory.floats(entries, count);
        int bound = LANES.loopBound(count);
        int first = (int) index;
        int high = Draws.highKey(key, index);
        int low = (int) key;
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entriesAt, i);
            IntVector draw = STEPS.add(first + i).lanewise(VectorOperators.XOR, low);
            draw = mix(draw, 16).mul(Draws.FIRST);
            draw = mix(draw, 15).lanewise(VectorOperators.XOR, high).mul(Draws.SECOND);
            draw = mix(draw, 15).mul(Draws.THIRD);
            draw = mix(draw, 16).lanewise(VectorOperators.LSHR, 1);
            VectorMask<Float> keep = draw.compare(VectorOperators.LT, threshold).cast(LANES);
            store(entry.mul(0f).blend(entry.mul(scale), keep), entriesAt, i);
        }
        for (int i = bound; i < count; i++) {
            float entry = get(entries, i);
            boolean keep = Draws.draw(key, index + i) < threshold;
            set(entries, i, keep ? entry * scale : entry * 0f);
        }
    }

    /// As [#thin(MemorySegment, long, long, int, float, int)], where each entry has a chance of its
    /// own to stay, and is divided by it if asked.
    ///
    /// @param chances between 0 and 1, of the entries
    static void thinEach(
            MemorySegment entries,
            MemorySegment chances,
            long key,
            long index,
            boolean rescale,
            int count) {
        long entriesAt = Memory.floats(entries, count);
        long chancesAt = Memory.floats(chances, count);
        int bound = LANES.loopBound(count);
        int first = (int) index;
        int high = Draws.highKey(key, index);
        int low = (int) key;
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector entry = load(entriesAt, i);
            FloatVector chance = load(chancesAt, i);
            IntVector draw = STEPS.add(first + i).lanewise(VectorOperators.XOR, low);
            draw = mix(draw, 16).mul(Draws.FIRST);
            draw = mix(draw, 15).lanewise(VectorOperators.XOR, high).mul(Draws.SECOND);
            draw = mix(draw, 15).mul(Draws.THIRD);
            draw = mix(draw, 16).lanewise(VectorOperators.LSHR, 1);
            FloatVector drawn = (FloatVector) draw.convert(VectorOperators.I2F, 0);
            VectorMask<Float> keep = drawn.compare(VectorOperators.LT, chance.mul(Draws.ALL));
            FloatVector kept = rescale ? entry.div(chance) : entry;
            store(entry.mul(0f).blend(kept, keep), entriesAt, i);
        }
        for (int i = bound; i < count; i++) {
            float entry = get(entries, i);
            float chance = get(chances, i);
            boolean keep = Draws.draw(key, index + i) < chance * Draws.ALL;
            set(entries, i, keep ? (rescale ? entry / chance : entry) : entry * 0f);
        }
    }

    /// The largest magnitude, as bits.
    static int largest(MemorySegment entries, int count) {
        long entriesAt = Memory.floats(entries, count);
        int bound = LANES.loopBound(count);
        int largest = 0;
        for (int i = 0; i < bound; i += LANES.length()) {
            IntVector bits = load(entriesAt, i).reinterpretAsInts().and(0x7fffffff);
            largest = Math.max(largest, bits.reduceLanes(VectorOperators.MAX));
        }
        for (int i = bound; i < count; i++) {
            largest = Math.max(largest, magnitude(get(entries, i)));
        }
        return largest;
    }

    /// Counts magnitudes by their leading bits; those below the first bin count in it.
    ///
    /// @param shift how many trailing bits do not count
    /// @param floor the leading bits of the first bin
    static void tally(MemorySegment entries, int shift, int floor, int[] bins, int count) {
        long entriesAt = Memory.floats(entries, count);
        for (int i = 0; i < count; i++) {
            float entry = Memory.ALL.get(F32, entriesAt + (long) i * Float.BYTES);
            bins[Math.max(0, (magnitude(entry) >>> shift) - floor)]++;
        }
    }

    /// Looks up what stands at the bin of each magnitude, as [#tally] finds it.
    static void lookUp(
            MemorySegment entries,
            int shift,
            int floor,
            float[] bins,
            MemorySegment target,
            int count) {
        long entriesAt = Memory.floats(entries, count);
        long targetAt = Memory.floats(target, count);
        for (int i = 0; i < count; i++) {
            float entry = Memory.ALL.get(F32, entriesAt + (long) i * Float.BYTES);
            float found = bins[Math.max(0, (magnitude(entry) >>> shift) - floor)];
            Memory.ALL.set(F32, targetAt + (long) i * Float.BYTES, found);
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
        long massAt = Memory.floats(mass, count);
        long baseAt = Memory.floats(base, count);
        long targetAt = Memory.floats(target, count);
        if (kept.length <= FEW) {
            electFew(
                    at(kept, FEW, count),
                    Arrays.copyOf(weights, FEW),
                    massAt,
                    baseAt,
                    lambda,
                    normalize,
                    targetAt,
                    bound);
        } else if (kept.length <= MANY) {
            electMany(
                    at(kept, MANY, count),
                    Arrays.copyOf(weights, MANY),
                    massAt,
                    baseAt,
                    lambda,
                    normalize,
                    targetAt,
                    bound);
        } else {
            electAny(
                    at(kept, kept.length, count),
                    weights,
                    massAt,
                    baseAt,
                    lambda,
                    normalize,
                    targetAt,
                    bound);
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

    private static void electFew(
            long[] kept,
            float[] weights,
            long mass,
            long base,
            float lambda,
            boolean normalize,
            long target,
            int bound) {
        long kept0 = kept[0];
        long kept1 = kept[1];
        long kept2 = kept[2];
        long kept3 = kept[3];
        float weight0 = weights[0];
        float weight1 = weights[1];
        float weight2 = weights[2];
        float weight3 = weights[3];
        FloatVector zero = FloatVector.zero(LANES);
        FloatVector scale = FloatVector.broadcast(LANES, lambda);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector elected = load(mass, i);
            VectorMask<Float> plus = elected.compare(VectorOperators.GE, 0f);
            FloatVector sum = zero;
            FloatVector divisor = zero;
            FloatVector entry0 = load(kept0, i);
            VectorMask<Float> agrees0 = agrees(entry0, plus);
            sum = sum.add(zero.blend(entry0, agrees0));
            divisor = divisor.add(zero.blend(weight0, agrees0));
            FloatVector entry1 = load(kept1, i);
            VectorMask<Float> agrees1 = agrees(entry1, plus);
            sum = sum.add(zero.blend(entry1, agrees1));
            divisor = divisor.add(zero.blend(weight1, agrees1));
            FloatVector entry2 = load(kept2, i);
            VectorMask<Float> agrees2 = agrees(entry2, plus);
            sum = sum.add(zero.blend(entry2, agrees2));
            divisor = divisor.add(zero.blend(weight2, agrees2));
            FloatVector entry3 = load(kept3, i);
            VectorMask<Float> agrees3 = agrees(entry3, plus);
            sum = sum.add(zero.blend(entry3, agrees3));
            divisor = divisor.add(zero.blend(weight3, agrees3));
            if (normalize) {
                sum = sum.div(divisor.blend(1f, divisor.compare(VectorOperators.EQ, 0f)));
            }
            FloatVector poison = elected.mul(0f);
            store(scale.fma(sum.add(poison), load(base, i)), target, i);
        }
    }

    private static void electMany(
            long[] kept,
            float[] weights,
            long mass,
            long base,
            float lambda,
            boolean normalize,
            long target,
            int bound) {
        long kept0 = kept[0];
        long kept1 = kept[1];
        long kept2 = kept[2];
        long kept3 = kept[3];
        long kept4 = kept[4];
        long kept5 = kept[5];
        long kept6 = kept[6];
        long kept7 = kept[7];
        float weight0 = weights[0];
        float weight1 = weights[1];
        float weight2 = weights[2];
        float weight3 = weights[3];
        float weight4 = weights[4];
        float weight5 = weights[5];
        float weight6 = weights[6];
        float weight7 = weights[7];
        FloatVector zero = FloatVector.zero(LANES);
        FloatVector scale = FloatVector.broadcast(LANES, lambda);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector elected = load(mass, i);
            VectorMask<Float> plus = elected.compare(VectorOperators.GE, 0f);
            FloatVector sum = zero;
            FloatVector divisor = zero;
            FloatVector entry0 = load(kept0, i);
            VectorMask<Float> agrees0 = agrees(entry0, plus);
            sum = sum.add(zero.blend(entry0, agrees0));
            divisor = divisor.add(zero.blend(weight0, agrees0));
            FloatVector entry1 = load(kept1, i);
            VectorMask<Float> agrees1 = agrees(entry1, plus);
            sum = sum.add(zero.blend(entry1, agrees1));
            divisor = divisor.add(zero.blend(weight1, agrees1));
            FloatVector entry2 = load(kept2, i);
            VectorMask<Float> agrees2 = agrees(entry2, plus);
            sum = sum.add(zero.blend(entry2, agrees2));
            divisor = divisor.add(zero.blend(weight2, agrees2));
            FloatVector entry3 = load(kept3, i);
            VectorMask<Float> agrees3 = agrees(entry3, plus);
            sum = sum.add(zero.blend(entry3, agrees3));
            divisor = divisor.add(zero.blend(weight3, agrees3));
            FloatVector entry4 = load(kept4, i);
            VectorMask<Float> agrees4 = agrees(entry4, plus);
            sum = sum.add(zero.blend(entry4, agrees4));
            divisor = divisor.add(zero.blend(weight4, agrees4));
            FloatVector entry5 = load(kept5, i);
            VectorMask<Float> agrees5 = agrees(entry5, plus);
            sum = sum.add(zero.blend(entry5, agrees5));
            divisor = divisor.add(zero.blend(weight5, agrees5));
            FloatVector entry6 = load(kept6, i);
            VectorMask<Float> agrees6 = agrees(entry6, plus);
            sum = sum.add(zero.blend(entry6, agrees6));
            divisor = divisor.add(zero.blend(weight6, agrees6));
            FloatVector entry7 = load(kept7, i);
            VectorMask<Float> agrees7 = agrees(entry7, plus);
            sum = sum.add(zero.blend(entry7, agrees7));
            divisor = divisor.add(zero.blend(weight7, agrees7));
            if (normalize) {
                sum = sum.div(divisor.blend(1f, divisor.compare(VectorOperators.EQ, 0f)));
            }
            FloatVector poison = elected.mul(0f);
            store(scale.fma(sum.add(poison), load(base, i)), target, i);
        }
    }

    private static void electAny(
            long[] kept,
            float[] weights,
            long mass,
            long base,
            float lambda,
            boolean normalize,
            long target,
            int bound) {
        FloatVector zero = FloatVector.zero(LANES);
        FloatVector scale = FloatVector.broadcast(LANES, lambda);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector elected = load(mass, i);
            VectorMask<Float> plus = elected.compare(VectorOperators.GE, 0f);
            FloatVector sum = zero;
            FloatVector divisor = zero;
            for (int m = 0; m < kept.length; m++) {
                FloatVector entry = load(kept[m], i);
                VectorMask<Float> agrees = agrees(entry, plus);
                sum = sum.add(zero.blend(entry, agrees));
                divisor = divisor.add(zero.blend(weights[m], agrees));
            }
            if (normalize) {
                sum = sum.div(divisor.blend(1f, divisor.compare(VectorOperators.EQ, 0f)));
            }
            FloatVector poison = elected.mul(0f);
            store(scale.fma(sum.add(poison), load(base, i)), target, i);
        }
    }

    /// Where minus is elected the entry is negated: then both ask for "> 0".
    private static VectorMask<Float> agrees(FloatVector entry, VectorMask<Float> plus) {
        return entry.neg().blend(entry, plus).compare(VectorOperators.GT, 0f);
    }

    /// Where the experts' entries begin; zeros for those that are not there.
    private static long[] at(MemorySegment[] kept, int size, int count) {
        long[] all = new long[size];
        Arrays.fill(all, ZEROS.address());
        for (int m = 0; m < kept.length; m++) {
            all[m] = Memory.floats(kept[m], count);
        }
        return all;
    }

    private static FloatVector load(long address, int index) {
        return FloatVector.fromMemorySegment(
                LANES, Memory.ALL, address + (long) index * Float.BYTES, LITTLE_ENDIAN);
    }

    private static void store(FloatVector values, long address, int index) {
        values.intoMemorySegment(Memory.ALL, address + (long) index * Float.BYTES, LITTLE_ENDIAN);
    }
}
