package dev.tributary.tensors;

import jdk.incubator.vector.DoubleVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// The loops of [Exponentials] with vector instructions. Each element is the same sequence of
/// correctly rounded operations in a vector of any width and, at the end of an array, by itself: so
/// all processors come to the same bits.
final class VectorExponentials {
    private static final VectorSpecies<Double> F64 =
            VectorSpecies.of(double.class, VectorArithmetic.SHAPE);
    private static final int LANES = F64.length();

    /// Added to a number below 2^51 it leaves the nearest integer in the lowest bits.
    private static final double TO_INTEGER = 0x1.8p52;

    private static final double PER_LN2 = 0x1.71547652b82fep0;
    private static final double LN2_HIGH = 0x1.62e42fee00000p-1;
    private static final double LN2_LOW = 0x1.a39ef35793c76p-33;
    private static final int MANTISSA_BITS = 52;
    private static final int EXPONENT_BIAS = 1023;

    /// Taylor's coefficients of e^x from the 13th on; on half an octave what follows is less than
    /// half a unit in the last place.
    private static final double E13 = 1.0 / 6227020800.0;

    private static final double E12 = 1.0 / 479001600.0;
    private static final double E11 = 1.0 / 39916800.0;
    private static final double E10 = 1.0 / 3628800.0;
    private static final double E9 = 1.0 / 362880.0;
    private static final double E8 = 1.0 / 40320.0;
    private static final double E7 = 1.0 / 5040.0;
    private static final double E6 = 1.0 / 720.0;
    private static final double E5 = 1.0 / 120.0;
    private static final double E4 = 1.0 / 24.0;
    private static final double E3 = 1.0 / 6.0;

    /// Coefficients of log(1 + f) in s = f / (2 + f), from fdlibm's e_log.c (Sun Microsystems,
    /// 1993).
    private static final double L1 = 0x1.5555555555593p-1;

    private static final double L2 = 0x1.999999997fa04p-2;
    private static final double L3 = 0x1.2492494229359p-2;
    private static final double L4 = 0x1.c71c51d8e78afp-3;
    private static final double L5 = 0x1.7466496cb03dep-3;
    private static final double L6 = 0x1.39a09d078c69fp-3;
    private static final double L7 = 0x1.2f112df3e5244p-3;

    /// The bits of the square root of a half, where the mantissa is cut.
    private static final long HALF_ROOT = 0x3fe6a09e667f3bcdL;

    private static final long ONE = 0x3ff0000000000000L;
    private static final long MANTISSA = 0x000fffffffffffffL;
    private static final long TO_INTEGER_BITS = 0x4338000000000000L;

    private VectorExponentials() {}

    static void exp(double[] source, int from, double[] target, int count) {
        int bound = F64.loopBound(count);
        for (int i = 0; i < bound; i += LANES) {
            DoubleVector x = DoubleVector.fromArray(F64, source, from + i).max(Exponentials.LEAST);
            DoubleVector shifted =
                    x.lanewise(
                            VectorOperators.FMA,
                            DoubleVector.broadcast(F64, PER_LN2),
                            DoubleVector.broadcast(F64, TO_INTEGER));
            DoubleVector octaves = shifted.sub(TO_INTEGER);
            DoubleVector high = octaves.lanewise(VectorOperators.FMA, -LN2_HIGH, x);
            DoubleVector r = octaves.lanewise(VectorOperators.FMA, -LN2_LOW, high);
            DoubleVector p13 = r.lanewise(VectorOperators.FMA, E13, E12);
            DoubleVector p11 = p13.lanewise(VectorOperators.FMA, r, E11);
            DoubleVector p10 = p11.lanewise(VectorOperators.FMA, r, E10);
            DoubleVector p9 = p10.lanewise(VectorOperators.FMA, r, E9);
            DoubleVector p8 = p9.lanewise(VectorOperators.FMA, r, E8);
            DoubleVector p7 = p8.lanewise(VectorOperators.FMA, r, E7);
            DoubleVector p6 = p7.lanewise(VectorOperators.FMA, r, E6);
            DoubleVector p5 = p6.lanewise(VectorOperators.FMA, r, E5);
            DoubleVector p4 = p5.lanewise(VectorOperators.FMA, r, E4);
            DoubleVector p3 = p4.lanewise(VectorOperators.FMA, r, E3);
            DoubleVector p2 = p3.lanewise(VectorOperators.FMA, r, 0.5);
            DoubleVector p1 = p2.lanewise(VectorOperators.FMA, r, 1.0);
            DoubleVector p0 = p1.lanewise(VectorOperators.FMA, r, 1.0);
            LongVector scale =
                    shifted.reinterpretAsLongs()
                            .add(EXPONENT_BIAS)
                            .lanewise(VectorOperators.LSHL, MANTISSA_BITS);
            p0.mul(scale.reinterpretAsDoubles()).intoArray(target, i);
        }
        for (int i = bound; i < count; i++) {
            target[i] = exp(source[from + i]);
        }
    }

    private static double exp(double value) {
        double x = Math.max(value, Exponentials.LEAST);
        double shifted = Math.fma(x, PER_LN2, TO_INTEGER);
        double octaves = shifted - TO_INTEGER;
        double r = Math.fma(octaves, -LN2_LOW, Math.fma(octaves, -LN2_HIGH, x));
        double p = Math.fma(r, E13, E12);
        p = Math.fma(p, r, E11);
        p = Math.fma(p, r, E10);
        p = Math.fma(p, r, E9);
        p = Math.fma(p, r, E8);
        p = Math.fma(p, r, E7);
        p = Math.fma(p, r, E6);
        p = Math.fma(p, r, E5);
        p = Math.fma(p, r, E4);
        p = Math.fma(p, r, E3);
        p = Math.fma(p, r, 0.5);
        p = Math.fma(p, r, 1);
        p = Math.fma(p, r, 1);
        long scale = (Double.doubleToRawLongBits(shifted) + EXPONENT_BIAS) << MANTISSA_BITS;
        return p * Double.longBitsToDouble(scale);
    }

    static void log(double[] source, int from, double[] target, int count) {
        int bound = F64.loopBound(count);
        for (int i = 0; i < bound; i += LANES) {
            DoubleVector x = DoubleVector.fromArray(F64, source, from + i).max(Double.MIN_NORMAL);
            LongVector bits = x.reinterpretAsLongs().add(ONE - HALF_ROOT);
            DoubleVector octaves =
                    bits.lanewise(VectorOperators.LSHR, MANTISSA_BITS)
                            .add(TO_INTEGER_BITS - EXPONENT_BIAS)
                            .reinterpretAsDoubles()
                            .sub(TO_INTEGER);
            DoubleVector f = bits.and(MANTISSA).add(HALF_ROOT).reinterpretAsDoubles().sub(1.0);
            DoubleVector s = f.div(f.add(2.0));
            DoubleVector z = s.mul(s);
            DoubleVector r7 = z.lanewise(VectorOperators.FMA, L7, L6);
            DoubleVector r5 = r7.lanewise(VectorOperators.FMA, z, L5);
            DoubleVector r4 = r5.lanewise(VectorOperators.FMA, z, L4);
            DoubleVector r3 = r4.lanewise(VectorOperators.FMA, z, L3);
            DoubleVector r2 = r3.lanewise(VectorOperators.FMA, z, L2);
            DoubleVector r1 = r2.lanewise(VectorOperators.FMA, z, L1);
            DoubleVector square = f.mul(f).mul(0.5);
            DoubleVector sum = r1.lanewise(VectorOperators.FMA, z, square);
            DoubleVector low = octaves.mul(LN2_LOW);
            DoubleVector rest = square.sub(s.lanewise(VectorOperators.FMA, sum, low)).sub(f);
            octaves.lanewise(VectorOperators.FMA, LN2_HIGH, rest.neg()).intoArray(target, i);
        }
        for (int i = bound; i < count; i++) {
            target[i] = log(source[from + i]);
        }
    }

    private static double log(double value) {
        double x = Math.max(value, Double.MIN_NORMAL);
        long bits = Double.doubleToRawLongBits(x) + (ONE - HALF_ROOT);
        long exponent = (bits >>> MANTISSA_BITS) + (TO_INTEGER_BITS - EXPONENT_BIAS);
        double octaves = Double.longBitsToDouble(exponent) - TO_INTEGER;
        double f = Double.longBitsToDouble((bits & MANTISSA) + HALF_ROOT) - 1;
        double s = f / (f + 2);
        double z = s * s;
        double r = Math.fma(z, L7, L6);
        r = Math.fma(r, z, L5);
        r = Math.fma(r, z, L4);
        r = Math.fma(r, z, L3);
        r = Math.fma(r, z, L2);
        r = Math.fma(r, z, L1);
        double square = f * f * 0.5;
        double sum = Math.fma(r, z, square);
        double rest = square - Math.fma(s, sum, octaves * LN2_LOW) - f;
        return Math.fma(octaves, LN2_HIGH, -rest);
    }
}
