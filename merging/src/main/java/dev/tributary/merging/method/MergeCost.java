package dev.tributary.merging.method;

import java.util.List;

/// What the arithmetic of a method costs, beyond writing the result.
///
/// @param bytesToRead from the checkpoints, over all passes
/// @param peakBytes memory beyond mapped files and the blocks every merge has
/// @param operations multiplications and additions beyond one pass of streaming
public record MergeCost(long bytesToRead, long peakBytes, double operations) {

    /// Streaming passes over the experts and over the base.
    public static MergeCost passes(List<MergeTensor> tensors, int overExperts, int overBase) {
        long bytes = 0;
        for (MergeTensor tensor : tensors) {
            bytes += overBase * tensor.base().bytes();
            for (MergeTensor.Expert expert : tensor.experts()) {
                bytes += overExperts * expert.stored().bytes();
            }
        }
        return new MergeCost(bytes, 0, 0);
    }

    /// The same with so much memory.
    public MergeCost holding(long bytes) {
        return new MergeCost(bytesToRead, bytes, operations);
    }

    /// The same with so much arithmetic.
    public MergeCost computing(double moreOperations) {
        return new MergeCost(bytesToRead, peakBytes, operations + moreOperations);
    }
}
