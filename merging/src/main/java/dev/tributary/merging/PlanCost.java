package dev.tributary.merging;

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

    /// What two cores go through in a second when nothing is written.
    private static final double CACHED_BYTES_PER_SECOND = 10e9;

    /// What two cores multiply and add in a second, in a forward and backward pass.
    private static final double FLOPS_PER_SECOND = 100e9;

    /// Rows of an embedding are looked up, not multiplied.
    private static final String LOOKED_UP = "embeddings.word_embeddings";

    private static final int TYPICAL_TOKENS = 48;

    /// Activations kept for the backward pass, as multiples of the weights: generous for the small
    /// batches of an optimisation step.
    private static final int ACTIVATION_SHARE = 2;

    static PlanCost of(MergeMethod method, List<Member> members, List<SharedTensor> shared) {
        long inBase = 0;
        long inMembers = 0;
        long written = 0;
        long elements = 0;
        long multiplied = 0;
        for (SharedTensor tensor : shared) {
            inBase += tensor.elements() * tensor.baseDtype().bytes();
            for (SharedTensor.Source source : tensor.members()) {
                inMembers += tensor.elements() * source.dtype().bytes();
            }
            written += tensor.output().bytes();
            elements += tensor.elements();
            multiplied += tensor.name().contains(LOOKED_UP) ? 0 : tensor.elements();
        }
        long read = inBase + inMembers;
        long streaming = MergeExecutor.peakBytes(method, members);
        return switch (method) {
            case MergeMethod.WeightAveraging _ -> streamed(inMembers, written, streaming);
            case MergeMethod.TaskArithmetic _ -> streamed(read, written, streaming);
            case MergeMethod.Ties ties ->
                    streamed(
                            trims(ties, members) ? 3 * inMembers + 3 * inBase : read,
                            written,
                            streaming);
            case MergeMethod.DivMerge divMerge ->
                    optimised(
                            divMerge,
                            members.size(),
                            elements,
                            multiplied,
                            streamed(read, written, streaming));
        };
    }

    private static boolean trims(MergeMethod.Ties ties, List<Member> members) {
        return members.stream().anyMatch(member -> TiesMerge.density(ties, member) < 1);
    }

    private static PlanCost streamed(long read, long written, long peak) {
        return new PlanCost(read, written, peak, seconds((read + written) / BYTES_PER_SECOND));
    }

    /// Weights and gradients in fp32, and one batch's activations; six operations a weight and
    /// token, as for any training step.
    private static PlanCost optimised(
            MergeMethod.DivMerge method,
            int tasks,
            long elements,
            long multiplied,
            PlanCost merge) {
        long checks = 1L + method.maxSteps() / method.evaluateEvery();
        double tokens =
                (double) tasks
                        * TYPICAL_TOKENS
                        * ((double) method.samplesPerStep() * method.maxSteps()
                                + method.calibrationItems() * checks / 3.0);
        double flops = 6.0 * multiplied * tokens;
        double arithmetic =
                (double) merge.bytesToRead() * 2 * method.maxSteps() / CACHED_BYTES_PER_SECOND;
        return new PlanCost(
                merge.bytesToRead(),
                merge.bytesToWrite(),
                merge.peakBytes() + elements * Float.BYTES * (2 + ACTIVATION_SHARE),
                merge.estimate().plus(seconds(flops / FLOPS_PER_SECOND + arithmetic)));
    }

    private static Duration seconds(double seconds) {
        return Duration.ofMillis(Math.round(seconds * 1000));
    }
}
