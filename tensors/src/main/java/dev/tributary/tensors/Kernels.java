package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Arithmetic over the weights of models: conversion between dtypes, task vectors (expert minus
/// base) without ever storing them, inner products and the optimiser's step.
///
/// Operands lie in memory segments of any size and alignment, native, mapped or over arrays,
/// little-endian; native ones are fastest. Counts and indices are in elements. Arithmetic is fp32
/// whatever the dtype of the operands, sums are fp64, and a result is rounded once. Results do not
/// depend on the machine. All methods are thread-safe as long as threads do not write to the same
/// memory.
public final class Kernels {
    static final Arithmetic ARITHMETIC = best();

    private Kernels() {}

    /// The vector kernels when the JVM was started with `--add-modules jdk.incubator.vector`, else
    /// the scalar ones, which compute the same slowly.
    static Arithmetic best() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()
                ? new VectorArithmetic()
                : new ScalarArithmetic();
    }

    /// Which kernels are in use, for a worker to log when it starts: `vector 512 bit`, or `scalar`
    /// when the JVM flag is missing.
    public static String inUse() {
        return ARITHMETIC.description();
    }

    /// Reads elements of any floating-point dtype as fp32. Exact but for `F64`, which is rounded.
    ///
    /// @param sourceElement index of the first element to read
    public static void widen(
            Dtype dtype,
            MemorySegment source,
            long sourceElement,
            MemorySegment target,
            long count) {
        try (Operand in = new Operand(dtype, source.asSlice(sourceElement * dtype.bytes()));
                Operand out = new Operand(target)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                ARITHMETIC.widen(dtype, in.raw(from, length), out.raw(from, length), length);
                out.put(from, length);
            }
        }
    }

    /// Rounds fp32 elements to a floating-point dtype, to the nearest, ties to even.
    public static void narrow(MemorySegment source, Dtype dtype, MemorySegment target, long count) {
        try (Operand in = new Operand(source);
                Operand out = new Operand(dtype, target)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                ARITHMETIC.narrow(in.raw(from, length), dtype, out.raw(from, length), length);
                out.put(from, length);
            }
        }
    }

    /// A task vector: `target = expert - base`.
    ///
    /// @param target fp32
    public static void difference(
            Dtype expertDtype,
            MemorySegment expert,
            Dtype baseDtype,
            MemorySegment base,
            MemorySegment target,
            long count) {
        try (Operand left = new Operand(expertDtype, expert);
                Operand right = new Operand(baseDtype, base);
                Operand out = new Operand(target)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                ARITHMETIC.difference(
                        left.floats(from, length),
                        right.floats(from, length),
                        out.raw(from, length),
                        length);
                out.put(from, length);
            }
        }
    }

    /// Adds a scaled task vector: `accumulator += coefficient * (expert - base)`.
    ///
    /// @param accumulator fp32
    public static void accumulateDifference(
            MemorySegment accumulator,
            float coefficient,
            Dtype expertDtype,
            MemorySegment expert,
            Dtype baseDtype,
            MemorySegment base,
            long count) {
        try (Operand sum = new Operand(accumulator);
                Operand left = new Operand(expertDtype, expert);
                Operand right = new Operand(baseDtype, base)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                ARITHMETIC.accumulateDifference(
                        sum.raw(from, length),
                        coefficient,
                        left.floats(from, length),
                        right.floats(from, length),
                        length);
                sum.put(from, length);
            }
        }
    }

    /// The inner product of a gradient with a task vector: the sum of `gradient * (expert - base)`.
    ///
    /// @param gradient fp32
    public static double dotDifference(
            MemorySegment gradient,
            Dtype expertDtype,
            MemorySegment expert,
            Dtype baseDtype,
            MemorySegment base,
            long count) {
        double[] lanes = new double[Arithmetic.LANES];
        try (Operand slope = new Operand(gradient);
                Operand left = new Operand(expertDtype, expert);
                Operand right = new Operand(baseDtype, base)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                ARITHMETIC.dotDifference(
                        lanes,
                        slope.raw(from, length),
                        left.floats(from, length),
                        right.floats(from, length),
                        length);
            }
        }
        return sum(lanes);
    }

    /// `y += a * x`, both fp32.
    public static void axpy(float a, MemorySegment x, MemorySegment y, long count) {
        try (Operand addend = new Operand(x);
                Operand sum = new Operand(y)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                ARITHMETIC.axpy(a, addend.raw(from, length), sum.raw(from, length), length);
                sum.put(from, length);
            }
        }
    }

    /// The inner product of two fp32 vectors.
    public static double dot(MemorySegment x, MemorySegment y, long count) {
        double[] lanes = new double[Arithmetic.LANES];
        try (Operand left = new Operand(x);
                Operand right = new Operand(y)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                ARITHMETIC.dot(lanes, left.raw(from, length), right.raw(from, length), length);
            }
        }
        return sum(lanes);
    }

    /// The sum of the squares of an fp32 vector.
    public static double squaredNorm(MemorySegment x, long count) {
        return dot(x, x, count);
    }

    /// How many elements of a floating-point dtype are NaN or infinite.
    public static long countNonFinite(Dtype dtype, MemorySegment source, long count) {
        return firstNonFinite(dtype, source, count).map(NonFinite::count).orElse(0L);
    }

    /// Looks for NaNs and infinities among elements of a floating-point dtype.
    public static Optional<NonFinite> firstNonFinite(
            Dtype dtype, MemorySegment source, long count) {
        long found = 0;
        long first = -1;
        try (Operand in = new Operand(dtype, source)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                MemorySegment tile = in.raw(from, length);
                long here = ARITHMETIC.countNonFinite(dtype, tile, length);
                if (found == 0 && here > 0) {
                    first = from + ScalarArithmetic.firstNonFinite(dtype, tile);
                }
                found += here;
            }
        }
        return found == 0 ? Optional.empty() : Optional.of(new NonFinite(first, found));
    }

    /// One AdamW step, in place: all four operands are fp32, read and written once.
    ///
    /// @param step counted from 1
    public static void adamW(
            AdamW settings,
            long step,
            MemorySegment weights,
            MemorySegment gradient,
            MemorySegment firstMoment,
            MemorySegment secondMoment,
            long count) {
        AdamW.Factors factors = settings.factors(step);
        try (Operand w = new Operand(weights);
                Operand g = new Operand(gradient);
                Operand m = new Operand(firstMoment);
                Operand v = new Operand(secondMoment)) {
            for (long from = 0; from < count; from += Operand.TILE) {
                int length = Operand.tileLength(from, count);
                ARITHMETIC.adamW(
                        factors,
                        w.raw(from, length),
                        g.raw(from, length),
                        m.raw(from, length),
                        v.raw(from, length),
                        length);
                w.put(from, length);
                m.put(from, length);
                v.put(from, length);
            }
        }
    }

    private static double sum(double[] lanes) {
        double sum = 0;
        for (double lane : lanes) {
            sum += lane;
        }
        return sum;
    }
}
