package dev.tributary.tensors;

import java.nio.file.Path;

/// Says that a checkpoint's files cannot be trusted, and in which of the known ways.
public final class CorruptCheckpointException extends RefusedException {
    private static final long serialVersionUID = 1L;

    private final CorruptionKind kind;

    /// Refuses this file.
    public CorruptCheckpointException(Path file, CorruptionKind kind, String sentence) {
        super(new Fault(kind.code(), file.toString(), sentence));
        this.kind = kind;
    }

    /// Refuses this file because reading it failed in this way.
    public CorruptCheckpointException(
            Path file, CorruptionKind kind, String sentence, Throwable cause) {
        super(new Fault(kind.code(), file.toString(), sentence), cause);
        this.kind = kind;
    }

    /// What exactly is wrong.
    public CorruptionKind kind() {
        return kind;
    }
}
