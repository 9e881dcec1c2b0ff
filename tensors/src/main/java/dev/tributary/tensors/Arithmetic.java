package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;

/// The loops under [Kernels], over tiles of native fp32 memory. [ScalarArithmetic] is their
/// meaning; another implementation may only be faster, bit for bit.
///
/// Sums are taken in fp64 over sixteen lanes: element `i` of a call goes to lane `i mod 16`, in
/// order, and the caller adds up the lanes. So a sum is the same on every machine.
sealed interface Arithmetic permits ScalarArithmetic, VectorArithmetic {
    /// How many partial sums are kept.
    int LANES = 16;

    /// What this is, in a few words for a log.
    String description();

    /// Reads elements of a floating-point dtype as fp32.
    void widen(Dtype dtype, MemorySegment source, MemorySegment target, int count);

    /// Rounds fp32 elements to a floating-point dtype, to the nearest, ties to even.
    void narrow(MemorySegment source, Dtype dtype, MemorySegment target, int count);

    /// `accumulator += coefficient * (left - right)`, the product and sum rounded once.
    void accumulateDifference(
            MemorySegment accumulator,
            float coefficient,
            MemorySegment left,
            MemorySegment right,
            int count);

    /// `target = base + sum of coefficients[k] * (experts[k] - base)`, all of one of the dtypes
    /// `BF16`, `F16` and `F32`: each product and sum rounded once in fp32, in order, and the result
    /// once to the dtype.
    ///
    /// @return whether every result is finite
    boolean combine(
            Dtype dtype,
            MemorySegment base,
            MemorySegment[] experts,
            float[] coefficients,
            MemorySegment target,
            int count);

    /// `target = left - right`.
    void difference(MemorySegment left, MemorySegment right, MemorySegment target, int count);

    /// `y += a * x`, rounded once.
    void axpy(float a, MemorySegment x, MemorySegment y, int count);

    /// `lanes[i mod 16] += x[i] * y[i]` in fp64.
    void dot(double[] lanes, MemorySegment x, MemorySegment y, int count);

    /// `lanes[i mod 16] += gradient[i] * (left[i] - right[i])`, the difference in fp32, the rest in
    /// fp64.
    void dotDifference(
            double[] lanes,
            MemorySegment gradient,
            MemorySegment left,
            MemorySegment right,
            int count);

    /// The bits of `|left - right|`, which order magnitudes as integers.
    void magnitudeBits(MemorySegment left, MemorySegment right, int[] bits, int count);

    /// Counts the magnitudes of `left - right` above a bracket and collects those in it, in no
    /// particular order, from the beginning of an array with room for all and [#LANES] more.
    ///
    /// @param left fp32 as `right`, or both `BF16`
    /// @param low the smallest magnitude in the bracket, as bits
    /// @param high the largest
    /// @return how many are above, times 2^32, plus how many were collected
    long bracket(
            Dtype dtype,
            MemorySegment left,
            MemorySegment right,
            int low,
            int high,
            int[] collected,
            int count);

    /// How many of the elements of a floating-point dtype are NaN or infinite.
    int countNonFinite(Dtype dtype, MemorySegment source, int count);

    /// One AdamW step, in place.
    void adamW(
            AdamW.Factors factors,
            MemorySegment weights,
            MemorySegment gradient,
            MemorySegment firstMoment,
            MemorySegment secondMoment,
            int count);
}
