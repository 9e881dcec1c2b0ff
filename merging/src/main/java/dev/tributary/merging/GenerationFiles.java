package dev.tributary.merging;

import dev.tributary.tensors.Digest;
import java.nio.file.Path;
import java.util.List;

/// What was written for a merge.
///
/// @param folder the artifact's folder
/// @param mergedFile digest of `model.safetensors`
/// @param mergedBytes its size
/// @param taskFolders the tasks with a folder below `tasks/`, sorted
public record GenerationFiles(
        Path folder, Digest mergedFile, long mergedBytes, List<String> taskFolders) {

    public GenerationFiles {
        taskFolders = List.copyOf(taskFolders);
    }
}
