package dev.tributary.tensors;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;

/// Locks on files, which the system gives up when their process ends, however it ends.
public final class FileLocks {
    private FileLocks() {}

    /// Locks a file for as long as the channel is open.
    ///
    /// @return false where somebody has it, in this process or another
    public static boolean tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }
}
