package dev.tributary.merge;

import dev.tributary.tensors.Digest;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One merge as `GET /merges` shows it.
///
/// @param pool the pool it is for
/// @param number the number its generation has or will have
/// @param generationId what is merged, as a digest
/// @param method id of the merge method
/// @param members the tasks, in order
/// @param stage what is or was being done
/// @param done how much of the stage is done
/// @param total how much there is in the stage
/// @param etaSeconds a guess at how long the stage still takes; null when there is none
/// @param startedAt when it began
/// @param endedAt when it ended; null while it runs
/// @param outcome `RUNNING`, `MERGED`, `REUSED`, `FAILED`, `RETRYING` or `ABANDONED`
public record MergeView(
        String pool,
        long number,
        String generationId,
        String method,
        List<String> members,
        String stage,
        long done,
        long total,
        @Nullable Double etaSeconds,
        Instant startedAt,
        @Nullable Instant endedAt,
        String outcome) {
    public MergeView {
        members = List.copyOf(members);
    }

    /// Whether this is a failed attempt at the same generation.
    boolean isEarlierAttemptAt(Digest id) {
        return outcome.equals(MergeBoard.End.RETRYING.name()) && generationId.equals(id.value());
    }
}
