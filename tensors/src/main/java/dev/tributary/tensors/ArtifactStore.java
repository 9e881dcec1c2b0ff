package dev.tributary.tensors;

import java.nio.file.Path;

/// Where models are kept once they are complete: folders that are written aside, appear in one step
/// and never change afterwards. Events carry [ArtifactReference]s into it, never weights.
public interface ArtifactStore {
    /// The folder everything lies in.
    Path root();

    /// A folder for the tools of this installation to keep what can be computed again.
    Path cache();

    /// Begins a new artifact.
    Staging stage();

    /// Begins a new artifact that will need about this much room, or refuses when there is less.
    Staging stage(long expectedBytes);

    /// Makes what was staged appear at a path, in one step and safe from a loss of power.
    /// Publishing the same content at the same path again changes nothing.
    ///
    /// @throws RefusedException when the path holds other content or leads out of the store
    ArtifactReference publish(Staging staging, String path);

    /// Makes what was staged appear under its own digest: `<collection>/<64 hexadecimal digits>`.
    ArtifactReference publishByDigest(Staging staging, String collection);

    /// Copies a folder from outside into the store and publishes the copy under its digest. What is
    /// digested is what was copied, so the original may change at any time.
    ///
    /// @param progress told the bytes copied
    /// @throws RefusedException when the folder holds what must not be taken in
    Imported importDirectory(Path source, String collection, Progress progress);

    /// Where an artifact's files are.
    ///
    /// @throws RefusedException when it is not there or its path leads out of the store
    Path open(ArtifactReference reference);

    /// Whether there is an artifact at a path.
    boolean exists(String path);

    /// The reference to what is at a path, its digest computed from the content.
    ArtifactReference referenceTo(String path);

    /// Reads an artifact whole and refuses it when its content is not what the reference says.
    void verify(ArtifactReference reference);
}
