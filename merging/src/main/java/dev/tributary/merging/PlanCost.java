package dev.tributary.merging;

import dev.tributary.merging.method.MergeCost;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Workers;
import java.time.Duration;
import java.util.List;

/// What a merge costs: a bound on memory that the executor keeps to, and a guess at the time.
///
/// @param bytesToRead from the checkpoints, over all passes
/// @param bytesToWrite into the merged file
/// @param peakBytes memory beyond mapped files
/// @param estimate on two cores, rough
record PlanCost(long bytesToRead, long bytesToWrite, long peakBytes, Duration estimate) {
    /// What a merge reads and writes in a second, when the files are in memory.
    private static final double BYTES_PER_SECOND = 1.5e9;

    /// What two cores multiply and add in a second.
    private static final double OPERATIONS_PER_SECOND = 100e9;

    /// @param trials of scales that are scored before the merge
    static PlanCost of(
            MergeMethod method, PlanInputs inputs, List<SharedTensor> shared, Trials trials) {
        long written = 0;
        long kept = 0;
        long aligned = 0;
        for (SharedTensor tensor : shared) {
            written += tensor.output().bytes();
            kept += tensor.merged() ? 0 : tensor.elements() * tensor.baseDtype().bytes();
            aligned += tensor.alignment().map(a -> aligning(tensor, a)).orElse(0L);
        }
        MergeCost once = method.cost(inputs.tensors());
        MergeCost cost =
                trials.any()
                        ? once.scoring(inputs.tensors(), trials.values(), trials.examples())
                        : once;
        long read = cost.bytesToRead() + kept;
        double seconds =
                (read + written) / BYTES_PER_SECOND + cost.operations() / OPERATIONS_PER_SECOND;
        return new PlanCost(
                read,
                written,
                MergeExecutor.bufferBytes(inputs.tasks().size()) + cost.peakBytes() + aligned,
                Duration.ofMillis(Math.round(seconds * 1000)));
    }

    /// The numbers of the rows, and room in which every thread puts rows together.
    private static long aligning(SharedTensor tensor, RowAlignment alignment) {
        long slice = Math.min(AlignedRows.LARGEST_SLICE, tensor.elements()) * Float.BYTES;
        return alignment.bytes() + Workers.available() * (1L + alignment.members()) * slice;
    }
}
