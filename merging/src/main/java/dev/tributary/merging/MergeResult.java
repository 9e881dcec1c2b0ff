package dev.tributary.merging;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What a merge came to.
///
/// @param identity the generation's id
/// @param groups what has a coefficient of its own, in order: layer groups or tensors
/// @param learnt coefficients, losses and steps; null for methods that learn none
/// @param tuning how the scale was chosen; null where it was not
/// @param taskVectorNorms by task, the Euclidean norm of expert minus base over the merged tensors;
///   empty outside of a pool
/// @param files what was written
/// @param bytesRead from the checkpoints, over all passes, as planned
/// @param bytesWritten into the merged file
/// @param took from opening the first file to finishing the last
public record MergeResult(
        GenerationIdentity identity,
        List<String> groups,
        @Nullable DivMergeResult learnt,
        @Nullable ScaleChoice tuning,
        SortedMap<String, Double> taskVectorNorms,
        GenerationFiles files,
        long bytesRead,
        long bytesWritten,
        Duration took) {

    public MergeResult {
        groups = List.copyOf(groups);
        taskVectorNorms = Collections.unmodifiableSortedMap(new TreeMap<>(taskVectorNorms));
    }

    /// The coefficients learnt, if the method learns any.
    public @Nullable Coefficients coefficients() {
        return learnt == null ? null : learnt.coefficients();
    }
}
