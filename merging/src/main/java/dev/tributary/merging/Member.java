package dev.tributary.merging;

import dev.tributary.merging.method.Setting;
import dev.tributary.models.CalibrationSet;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One expert of a merge, opened and ready to be read.
///
/// @param task the task it was tuned for; no two members of a merge have the same
/// @param expert its checkpoint, owned by whoever opened it
/// @param digest of its directory
/// @param calibration unlabelled inputs of its task; null where the method needs no data
/// @param settings parameters stated for this member alone, such as its weight, by name
public record Member(
        String task,
        Checkpoint expert,
        Digest digest,
        @Nullable CalibrationSet calibration,
        SortedMap<String, Setting> settings) {

    public Member {
        if (task.isBlank()) {
            throw new IllegalArgumentException("[member] has no task name");
        }
        settings = Collections.unmodifiableSortedMap(new TreeMap<>(settings));
    }

    /// A member without parameters of its own.
    public Member(
            String task, Checkpoint expert, Digest digest, @Nullable CalibrationSet calibration) {
        this(task, expert, digest, calibration, new TreeMap<>());
    }
}
