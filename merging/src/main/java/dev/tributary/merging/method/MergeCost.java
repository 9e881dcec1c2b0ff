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

    /// The same after some more merges into memory, each of which was run over some texts: a model
    /// in fp32 and one batch's activations are held.
    public MergeCost scoring(List<MergeTensor> tensors, int merges, long texts) {
        long elements = tensors.stream().mapToLong(MergeTensor::elements).sum();
        return new MergeCost(
                bytesToRead * (1 + merges),
                peakBytes + 2 * elements * Float.BYTES,
                operations * (1 + merges) + PassCost.operations(tensors, (double) merges * texts));
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
