package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;

/// The loops under [Kernels], over fp32 memory. [ScalarArithmetic] is their meaning; another
/// implementation may only be faster, bit for bit.
///
/// Sums are taken in fp64 over sixteen lanes: element `i` of a call goes to lane `i mod 16`, in
/// order, and the caller adds up the lanes. So a sum is the same on every machine.
sealed interface Arithmetic permits ScalarArithmetic {
    /// How many partial sums are kept.
    int LANES = 16;

    /// Reads elements of a floating-point dtype as fp32.
    void widen(Dtype dtype, MemorySegment source, long offset, MemorySegment target, long count);

    /// Rounds fp32 elements to a floating-point dtype, to the nearest, ties to even.
    void narrow(MemorySegment source, Dtype dtype, MemorySegment target, long count);

    /// `accumulator += coefficient * (left - right)`, the product and sum rounded once.
    void accumulateDifference(
            MemorySegment accumulator,
            float coefficient,
            MemorySegment left,
            MemorySegment right,
            long count);

    /// `y += a * x`, rounded once.
    void axpy(float a, MemorySegment x, MemorySegment y, long count);

    /// `lanes[i mod 16] += x[i] * y[i]` in fp64.
    void dot(double[] lanes, MemorySegment x, MemorySegment y, long count);

    /// `lanes[i mod 16] += gradient[i] * (left[i] - right[i])`, the difference in fp32, the rest in
    /// fp64.
    void dotDifference(
            double[] lanes,
            MemorySegment gradient,
            MemorySegment left,
            MemorySegment right,
            long count);

    /// How many of the elements of a floating-point dtype are NaN or infinite.
    long countNonFinite(Dtype dtype, MemorySegment source, long count);

    /// One AdamW step, in place.
    void adamW(
            AdamW.Factors factors,
            MemorySegment weights,
            MemorySegment gradient,
            MemorySegment firstMoment,
            MemorySegment secondMoment,
            long count);
}
