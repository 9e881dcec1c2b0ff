package dev.tributary.merging;

import dev.tributary.tensors.Digest;
import java.nio.file.Path;
import java.util.List;

/// What was written for a merge.
///
/// @param folder the artifact's folder
/// @param identity the generation's id, as its lineage has it
/// @param mergedFile digest of `model.safetensors`; of its weights alone where the inputs were
///   identified while they were merged
/// @param mergedBytes its size
/// @param taskFolders the tasks with a folder below `tasks/`, sorted
public record GenerationFiles(
        Path folder,
        GenerationIdentity identity,
        Digest mergedFile,
        long mergedBytes,
        List<String> taskFolders) {

    public GenerationFiles {
        taskFolders = List.copyOf(taskFolders);
    }
}
