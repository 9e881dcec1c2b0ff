package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// Arithmetic over the weights of models: conversion between dtypes, task vectors (expert minus
/// base) without ever storing them, inner products and the optimiser's step.
///
/// Operands lie in memory segments of any size and alignment, native, mapped or over arrays,
/// little-endian. Counts and indices are in elements. Arithmetic is fp32 whatever the dtype of the
/// operands, sums are fp64, and a result is rounded once. Results do not depend on the machine. All
/// methods are thread-safe as long as threads do not write to the same memory.
public final class Kernels {
    /// Elements of an operand that are widened at a time: small enough to stay in the first-level
    /// cache.
    private static final int TILE = 2048;

    private static final long SCAN = 1 << 16;

    private static final Arithmetic ARITHMETIC = new ScalarArithmetic();

    private Kernels() {}

    /// Reads elements of any floating-point dtype as fp32. Exact but for `F64`, which is rounded.
    public static void widen(
            Dtype dtype,
            MemorySegment source,
            long sourceElement,
            MemorySegment target,
            long count) {
        ARITHMETIC.widen(dtype, source, sourceElement * dtype.bytes(), target, count);
    }

    /// Rounds fp32 elements to a floating-point dtype, to the nearest, ties to even.
    public static void narrow(MemorySegment source, Dtype dtype, MemorySegment target, long count) {
        ARITHMETIC.narrow(source, dtype, target, count);
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
        Tile left = new Tile(expertDtype, expert);
        Tile right = new Tile(baseDtype, base);
        for (long from = 0; from < count; from += TILE) {
            long length = Math.min(TILE, count - from);
            ARITHMETIC.accumulateDifference(
                    floats(accumulator, from, length),
                    coefficient,
                    left.floats(from, length),
                    right.floats(from, length),
                    length);
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
        Tile left = new Tile(expertDtype, expert);
        Tile right = new Tile(baseDtype, base);
        for (long from = 0; from < count; from += TILE) {
            long length = Math.min(TILE, count - from);
            ARITHMETIC.dotDifference(
                    lanes,
                    floats(gradient, from, length),
                    left.floats(from, length),
                    right.floats(from, length),
                    length);
        }
        return sum(lanes);
    }

    /// `y += a * x`, both fp32.
    public static void axpy(float a, MemorySegment x, MemorySegment y, long count) {
        ARITHMETIC.axpy(a, x, y, count);
    }

    /// The inner product of two fp32 vectors.
    public static double dot(MemorySegment x, MemorySegment y, long count) {
        double[] lanes = new double[Arithmetic.LANES];
        ARITHMETIC.dot(lanes, x, y, count);
        return sum(lanes);
    }

    /// The sum of the squares of an fp32 vector.
    public static double squaredNorm(MemorySegment x, long count) {
        return dot(x, x, count);
    }

    /// How many elements are NaN or infinite.
    public static long countNonFinite(Dtype dtype, MemorySegment source, long count) {
        return ARITHMETIC.countNonFinite(dtype, source, count);
    }

    /// Looks for NaNs and infinities.
    public static Optional<NonFinite> firstNonFinite(
            Dtype dtype, MemorySegment source, long count) {
        long found = countNonFinite(dtype, source, count);
        if (found == 0) {
            return Optional.empty();
        }
        long block = 0;
        while (countNonFinite(dtype, block(dtype, source, block, count), blockLength(block, count))
                == 0) {
            block += SCAN;
        }
        long first = block;
        while (ScalarArithmetic.isFinite(dtype, source, first)) {
            first++;
        }
        return Optional.of(new NonFinite(first, found));
    }

    /// One AdamW step, in place: all four operands are fp32 and read and written once.
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
        ARITHMETIC.adamW(
                settings.factors(step), weights, gradient, firstMoment, secondMoment, count);
    }

    private static long blockLength(long from, long count) {
        return Math.min(SCAN, count - from);
    }

    private static MemorySegment block(Dtype dtype, MemorySegment source, long from, long count) {
        return source.asSlice(from * dtype.bytes(), blockLength(from, count) * dtype.bytes());
    }

    private static MemorySegment floats(MemorySegment segment, long from, long length) {
        return segment.asSlice(from * Float.BYTES, length * Float.BYTES);
    }

    private static double sum(double[] lanes) {
        double sum = 0;
        for (double lane : lanes) {
            sum += lane;
        }
        return sum;
    }

    /// One operand, seen as fp32 a tile at a time.
    private static final class Tile {
        private final Dtype dtype;
        private final MemorySegment source;
        private final MemorySegment scratch;

        Tile(Dtype dtype, MemorySegment source) {
            this.dtype = dtype;
            this.source = source;
            this.scratch = MemorySegment.ofArray(new byte[TILE * Float.BYTES]);
        }

        MemorySegment floats(long from, long length) {
            if (dtype == Dtype.F32) {
                return Kernels.floats(source, from, length);
            }
            ARITHMETIC.widen(dtype, source, from * dtype.bytes(), scratch, length);
            return scratch;
        }
    }
}
