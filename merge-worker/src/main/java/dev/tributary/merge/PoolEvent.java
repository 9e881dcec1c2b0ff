package dev.tributary.merge;

import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Something that happened to a pool, as far as merging is concerned with it.
sealed interface PoolEvent {

    /// Identifies the event: the same id twice is the same event twice.
    String eventId();

    /// The pool it happened to.
    String pool();

    /// The pool exists, or is to be merged differently from now on.
    ///
    /// @param base the checkpoint every expert was fine-tuned from
    /// @param method id of the merge method
    /// @param options options of the method; what is left out has its default
    /// @param limits when a generation counts as worse; carried along for the evaluation
    /// @param configuredAtMillis when it was asked for, never used for order
    record Configured(
            String eventId,
            String pool,
            ArtifactReference base,
            String method,
            Map<String, String> options,
            VerdictLimits limits,
            long configuredAtMillis)
            implements PoolEvent {
        public Configured {
            options = java.util.Collections.unmodifiableMap(new TreeMap<>(options));
        }
    }

    /// A fine-tuned checkpoint is there.
    ///
    /// @param baseDigest what the fine-tuning job says it started from
    record Published(
            String eventId,
            String pool,
            String task,
            ArtifactReference checkpoint,
            Digest baseDigest,
            ArtifactReference taskDefinition)
            implements PoolEvent {}

    /// An expert, or one checkpoint of it, must not take part any more.
    ///
    /// @param checkpoint the one checkpoint withdrawn; null for the expert as a whole
    record Retired(String eventId, String pool, String task, @Nullable Digest checkpoint)
            implements PoolEvent {}

    /// When a generation counts as worse than the one being served.
    ///
    /// @param significanceLevel false-alarm rate of a comparison
    /// @param toleratedDrop a drop up to this is none, as a fraction of 1
    /// @param largestDetectableDrop beyond this a comparison is inconclusive, as a fraction of 1
    record VerdictLimits(
            double significanceLevel, double toleratedDrop, double largestDetectableDrop) {}
}
