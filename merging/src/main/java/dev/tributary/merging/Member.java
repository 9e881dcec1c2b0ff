package dev.tributary.merging;

import dev.tributary.models.CalibrationSet;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import org.jspecify.annotations.Nullable;

/// One expert of a merge, opened and ready to be read.
///
/// @param task the task it was tuned for; no two members of a merge have the same
/// @param expert its checkpoint, owned by whoever opened it
/// @param digest of its directory
/// @param calibration unlabelled inputs of its task; null where the method needs no data
/// @param weight its weight, for the methods that weigh members
/// @param density the share of its task vector TIES keeps; null for the method's own
public record Member(
        String task,
        Checkpoint expert,
        Digest digest,
        @Nullable CalibrationSet calibration,
        double weight,
        @Nullable Double density) {

    public Member {
        if (task.isBlank()) {
            throw new IllegalArgumentException("[member] has no task name");
        }
        Bound.anyNumber("weight").require(weight);
        if (density != null) {
            MergeMethod.Ties.DENSITY.require(density);
        }
    }

    /// A member of weight 1.
    public Member(
            String task, Checkpoint expert, Digest digest, @Nullable CalibrationSet calibration) {
        this(task, expert, digest, calibration, 1.0, null);
    }
}
