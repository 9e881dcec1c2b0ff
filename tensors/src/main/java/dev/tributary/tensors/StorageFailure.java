package dev.tributary.tensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Tells a full disk from other failures to write. A full disk is a refusal with the code
/// [FailureCode#NO_SPACE]: whoever works can wait for space and try again.
public final class StorageFailure {
    private static final List<String> FULL = List.of("No space left on device", "quota exceeded");

    private StorageFailure() {}

    /// What to throw for a failed write.
    public static RuntimeException of(Path where, IOException failure) {
        if (saysFull(failure) || isFull(where)) {
            return new RefusedException(
                    new Fault(
                            FailureCode.NO_SPACE,
                            where.toString(),
                            "the disk is full, nothing was kept: free some space and try again"),
                    failure);
        }
        return new UncheckedIOException("cannot write %s".formatted(where), failure);
    }

    private static boolean saysFull(IOException failure) {
        for (@Nullable Throwable e = failure; e != null; e = e.getCause()) {
            String message = String.valueOf(e.getMessage());
            if (FULL.stream().anyMatch(message::contains)) {
                return true;
            }
        }
        return false;
    }

    /// The message may be in the language of the machine, so the disk is asked too.
    private static boolean isFull(Path where) {
        try {
            Path folder = where.toAbsolutePath();
            while (!Files.exists(folder)) {
                folder = Durable.parent(folder);
            }
            return Files.getFileStore(folder).getUsableSpace() == 0;
        } catch (IOException e) {
            return false;
        }
    }
}
