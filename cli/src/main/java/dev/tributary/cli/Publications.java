package dev.tributary.cli;

import dev.tributary.events.ArtifactReference;
import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.ExpertRetired;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.models.TaskDefinition;
import dev.tributary.schemas.Topic;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.Staging;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.avro.specific.SpecificRecordBase;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.jspecify.annotations.Nullable;

/// Turns what a person hands in (folders) into what the pool takes (artifacts in the store and
/// events that name them by digest).
public final class Publications implements AutoCloseable {
    private final FolderArtifactStore store;
    private final EventPublisher publisher;

    /// Publishes to the pools of this connection.
    public Publications(Connection connection) {
        store = FolderArtifactStore.open(connection.store());
        publisher = new EventPublisher(connection);
    }

    /// Copies a checkpoint directory into the store, or finds it there, and says its reference.
    public dev.tributary.tensors.ArtifactReference importCheckpoint(
            Path directory, Progress progress) {
        return store.importDirectory(directory, "checkpoints", progress).reference();
    }

    /// Writes a task's calibration inputs and validation set into the store.
    public dev.tributary.tensors.ArtifactReference importTask(
            TaskDefinition task, int calibrationItems) {
        try (Staging staging = store.stage()) {
            task.stage(staging.directory(), calibrationItems);
            return store.publishByDigest(staging, "tasks");
        }
    }

    /// Publishes the event and says where it lies.
    public Published configurePool(
            String pool,
            dev.tributary.tensors.ArtifactReference base,
            String method,
            Map<String, String> options,
            VerdictPolicy policy) {
        String eventId = UUID.randomUUID().toString();
        return published(
                eventId,
                pool,
                PoolConfigured.newBuilder()
                        .setEventId(eventId)
                        .setPool(pool)
                        .setBase(reference(base))
                        .setMethod(method)
                        .setOptions(new TreeMap<>(options))
                        .setVerdictPolicy(policy)
                        .setConfiguredAt(Instant.now())
                        .build());
    }

    /// Publishes the event and says where it lies.
    public Published publishCheckpoint(
            String pool,
            String task,
            dev.tributary.tensors.ArtifactReference checkpoint,
            String baseDigest,
            dev.tributary.tensors.ArtifactReference taskDefinition) {
        String eventId = UUID.randomUUID().toString();
        return published(
                eventId,
                pool,
                CheckpointPublished.newBuilder()
                        .setEventId(eventId)
                        .setPool(pool)
                        .setTask(task)
                        .setCheckpoint(reference(checkpoint))
                        .setBaseDigest(baseDigest)
                        .setTaskDefinition(reference(taskDefinition))
                        .setPublisher(System.getProperty("user.name"))
                        .setPublishedAt(Instant.now())
                        .build());
    }

    /// Publishes the event and says where it lies.
    public Published retire(
            String pool, String task, @Nullable String checkpointDigest, @Nullable String reason) {
        String eventId = UUID.randomUUID().toString();
        return published(
                eventId,
                pool,
                ExpertRetired.newBuilder()
                        .setEventId(eventId)
                        .setPool(pool)
                        .setTask(task)
                        .setCheckpointDigest(checkpointDigest)
                        .setReason(reason)
                        .setRetiredAt(Instant.now())
                        .build());
    }

    private Published published(String eventId, String pool, SpecificRecordBase event) {
        RecordMetadata place = publisher.publish(Topic.POOL_EVENTS, pool, event);
        return new Published(eventId, place.partition(), place.offset());
    }

    @Override
    public void close() {
        publisher.close();
        store.close();
    }

    private static ArtifactReference reference(dev.tributary.tensors.ArtifactReference artifact) {
        return ArtifactReference.newBuilder()
                .setUri(artifact.uri())
                .setDigest(artifact.digest().value())
                .setBytes(artifact.bytes())
                .build();
    }
}
