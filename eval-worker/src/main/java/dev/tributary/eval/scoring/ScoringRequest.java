package dev.tributary.eval.scoring;

import dev.tributary.events.EvaluationRequested;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A generation that is to be scored on one task.
///
/// @param subject what it is about
/// @param artifact the merged model
/// @param taskPath the folder inside it that opens as a checkpoint for the task
/// @param expert the expert's checkpoint
/// @param base the pool's base, on which an expert that is an adapter stands; null in requests of
///   before there were such
/// @param taskDefinition the task with its validation items
record ScoringRequest(
        Subject subject,
        ArtifactReference artifact,
        String taskPath,
        ArtifactReference expert,
        @Nullable ArtifactReference base,
        ArtifactReference taskDefinition) {

    /// What a request is about, known even of a request that cannot be carried out.
    ///
    /// @param number the generation's number within its pool
    /// @param generationId digest of everything that determines it
    record Subject(String pool, long number, String generationId, String task) {

        static Subject of(EvaluationRequested event) {
            return new Subject(
                    event.getPool(), event.getNumber(), event.getGenerationId(), event.getTask());
        }

        /// For logs, under the fixed names.
        @Override
        public String toString() {
            return String.format(Locale.ROOT, "pool=%s generation=%d task=%s", pool, number, task);
        }
    }

    /// @throws RefusedException when a reference is none
    static ScoringRequest of(EvaluationRequested event) {
        return new ScoringRequest(
                Subject.of(event),
                reference(event.getArtifact()),
                event.getTaskPath(),
                reference(event.getExpert()),
                event.getBase() == null ? null : reference(event.getBase()),
                reference(event.getTaskDefinition()));
    }

    private static ArtifactReference reference(dev.tributary.events.ArtifactReference event) {
        try {
            return new ArtifactReference(
                    event.getUri(), new Digest(event.getDigest()), event.getBytes());
        } catch (IllegalArgumentException e) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.DIGEST_MISMATCH,
                            event.getUri(),
                            "cannot be checked: %s".formatted(e.getMessage())),
                    e);
        }
    }
}
