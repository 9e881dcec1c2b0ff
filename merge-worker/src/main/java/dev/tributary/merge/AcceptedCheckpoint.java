package dev.tributary.merge;

import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;

/// A checkpoint a pool has accepted.
///
/// @param eventId the event it came with
/// @param checkpoint the fine-tuned checkpoint
/// @param taskDefinition the definition of its task
/// @param calibration digest of the inputs a merge may look at
record AcceptedCheckpoint(
        String eventId,
        ArtifactReference checkpoint,
        ArtifactReference taskDefinition,
        Digest calibration) {}
