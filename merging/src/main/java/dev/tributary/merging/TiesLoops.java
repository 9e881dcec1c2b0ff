package dev.tributary.merging;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The inner loops of TIES over one tile. Each is a vector loop and, for what is left over, the
/// scalar loop that says what it means; both give the same bits.
final class TiesLoops {
    static final VectorSpecies<Float> LANES = FloatVector.SPECIES_PREFERRED;

    private TiesLoops() {}

    /// Keeps `weight * (expert - base)` where the difference reaches the cut, zero elsewhere, and
    /// adds it to the mass by which signs are elected.
    static void trim(
            float[] expert,
            float[] base,
            int cut,
            float weight,
            float[] kept,
            float[] mass,
            int count) {
        int bound = LANES.loopBound(count);
        FloatVector zero = FloatVector.zero(LANES);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector difference =
                    FloatVector.fromArray(LANES, expert, i)
                            .sub(FloatVector.fromArray(LANES, base, i));
            IntVector magnitude = difference.reinterpretAsInts().and(0x7fffffff);
            VectorMask<Float> keep = magnitude.compare(VectorOperators.GE, cut).cast(LANES);
            FloatVector entry = zero.blend(difference.mul(weight), keep);
            entry.intoArray(kept, i);
            FloatVector.fromArray(LANES, mass, i).add(entry).intoArray(mass, i);
        }
        for (int i = bound; i < count; i++) {
            float difference = expert[i] - base[i];
            float entry = TrimCut.magnitude(difference) >= cut ? weight * difference : 0f;
            kept[i] = entry;
            mass[i] += entry;
        }
    }

    /// Elects each entry's sign by its mass, plus where it is zero, and adds the mean of the
    /// entries that agree with it to the base. A NaN or an infinity agrees with no sign but shows
    /// in the mass, and so in the result.
    ///
    /// @param kept the trimmed and weighted task vectors
    /// @param normalize whether the sum is divided by the weights of those that agree
    static void merge(
            float[][] kept,
            float[] weights,
            float[] mass,
            float[] base,
            float lambda,
            boolean normalize,
            float[] target,
            int count) {
        int bound = LANES.loopBound(count);
        FloatVector zero = FloatVector.zero(LANES);
        FloatVector scale = FloatVector.broadcast(LANES, lambda);
        for (int i = 0; i < bound; i += LANES.length()) {
            FloatVector elected = FloatVector.fromArray(LANES, mass, i);
            VectorMask<Float> plus = elected.compare(VectorOperators.GE, 0f);
            FloatVector sum = zero;
            FloatVector divisor = zero;
            for (int m = 0; m < kept.length; m++) {
                FloatVector entry = FloatVector.fromArray(LANES, kept[m], i);
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
            scale.fma(sum.add(poison), FloatVector.fromArray(LANES, base, i)).intoArray(target, i);
        }
        for (int i = bound; i < count; i++) {
            float sum = 0;
            float divisor = 0;
            for (int m = 0; m < kept.length; m++) {
                float entry = kept[m][i];
                if (mass[i] >= 0 ? entry > 0 : entry < 0) {
                    sum += entry;
                    divisor += weights[m];
                }
            }
            float mean = normalize && divisor != 0 ? sum / divisor : sum;
            target[i] = Math.fma(lambda, mean + mass[i] * 0f, base[i]);
        }
    }
}
