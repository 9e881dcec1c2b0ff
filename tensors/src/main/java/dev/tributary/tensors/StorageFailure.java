package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Tells a full disk from other failures of reading and writing.
final class StorageFailure {
    private static final List<String> FULL = List.of("No space left on device", "quota exceeded");

    private StorageFailure() {}

    /// What to throw for a failed write: a refusal when the disk is full.
    static RuntimeException of(Path where, IOException failure) {
        if (isFull(failure)) {
            return new RefusedException(
                    new Fault(
                            FailureCode.NO_SPACE,
                            where.toString(),
                            "the disk is full and nothing was kept: free some space, it is tried again"),
                    failure);
        }
        return new UncheckedIOException("cannot write %s".formatted(where), failure);
    }

    private static boolean isFull(IOException failure) {
        for (@Nullable Throwable e = failure; e != null; e = e.getCause()) {
            String message = String.valueOf(e.getMessage());
            if (FULL.stream().anyMatch(message::contains)) {
                return true;
            }
        }
        return false;
    }
}
