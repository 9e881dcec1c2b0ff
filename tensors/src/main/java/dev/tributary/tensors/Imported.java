package dev.tributary.tensors;

import java.util.List;

/// What came of taking a folder from outside into the store.
///
/// @param reference names the copy
/// @param skipped what was left out, and why
public record Imported(ArtifactReference reference, List<Skipped> skipped) {
    public Imported {
        skipped = List.copyOf(skipped);
    }

    /// A file or folder that was left out.
    ///
    /// @param path relative to the folder that was imported
    public record Skipped(String path, String reason) {}
}
