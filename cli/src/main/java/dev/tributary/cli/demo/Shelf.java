package dev.tributary.cli.demo;

import dev.tributary.cli.Publications;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// Publishes the demo's checkpoints to its pool.
final class Shelf {
    private static final Progress SILENT = (_, _, _) -> {};

    private final Publications publications;
    private final String pool;
    private final String baseDigest;
    private final DemoSettings settings;
    private final Map<Path, String> digests = new HashMap<>();

    Shelf(Publications publications, String pool, String baseDigest, DemoSettings settings) {
        this.publications = publications;
        this.pool = pool;
        this.baseDigest = baseDigest;
        this.settings = settings;
    }

    /// Publishes a checkpoint and returns the event's id.
    String publish(TaskDefinition task, Path checkpoint) {
        var artifact = publications.importCheckpoint(checkpoint, SILENT);
        var definition = publications.importTask(task, settings.calibrationItems());
        return publications
                .publishCheckpoint(pool, task.name(), artifact, baseDigest, definition)
                .eventId();
    }

    /// Withdraws a checkpoint and returns the event's id.
    String withdraw(TaskDefinition task, Path checkpoint) {
        return publications
                .retire(pool, task.name(), digestOf(checkpoint), "fine-tuned on mislabelled data")
                .eventId();
    }

    String digestOf(Path checkpoint) {
        return digests.computeIfAbsent(checkpoint, path -> Digest.ofDirectory(path).value());
    }
}
