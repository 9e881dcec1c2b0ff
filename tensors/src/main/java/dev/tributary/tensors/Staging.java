package dev.tributary.tensors;

import java.nio.file.Path;

/// A folder in which an artifact is put together, invisible to readers of the store. Closing it
/// without publishing throws everything in it away.
public final class Staging implements AutoCloseable {
    private final Path directory;

    Staging(Path directory) {
        this.directory = directory;
    }

    /// The folder to write into.
    public Path directory() {
        return directory;
    }

    @Override
    public void close() {
        FileTree.delete(directory);
    }
}
