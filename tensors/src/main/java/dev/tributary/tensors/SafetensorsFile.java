package dev.tributary.tensors;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// One safetensors file mapped into memory, of any size. Lives as long as the arena it was opened
/// in.
///
/// @param data the bytes after the header, read-only
record SafetensorsFile(Path path, SafetensorsHeader header, MemorySegment data) {
    private static final int LENGTH_BYTES = 8;

    /// Maps a file and checks its header.
    static SafetensorsFile open(Path file, Arena arena) {
        RegularFile.check(file);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            UnsafeFormat.check(file, channel);
            long size = channel.size();
            long length = headerLength(file, channel, size);
            byte[] json = read(channel, LENGTH_BYTES, (int) length).array();
            long dataBytes = size - LENGTH_BYTES - length;
            SafetensorsHeader header = SafetensorsHeader.parse(file, json, dataBytes);
            MemorySegment data =
                    channel.map(
                            FileChannel.MapMode.READ_ONLY, LENGTH_BYTES + length, dataBytes, arena);
            return new SafetensorsFile(file, header, data);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read %s".formatted(file), e);
        }
    }

    /// The bytes of one of this file's tensors.
    MemorySegment data(TensorInfo tensor) {
        return data.asSlice(tensor.begin(), tensor.bytes());
    }

    private static long headerLength(Path file, FileChannel channel, long size) throws IOException {
        if (size < LENGTH_BYTES) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.HEADER_TOO_SMALL,
                    "the file has %d bytes, expected at least %d: an upload that never began?"
                            .formatted(size, LENGTH_BYTES));
        }
        long length = read(channel, 0, LENGTH_BYTES).getLong(0);
        long limit =
                Math.min(
                        SafetensorsHeader.MAX_BYTES_OF_REFERENCE,
                        Math.max(SafetensorsHeader.MAX_BYTES, size / 100));
        if (length < 0 || length > limit) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.HEADER_TOO_LARGE,
                    "the header is said to have %s bytes, expected at most %d: not a safetensors file?"
                            .formatted(Long.toUnsignedString(length), limit));
        }
        if (length > size - LENGTH_BYTES) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.INVALID_HEADER_LENGTH,
                    "the header is said to have %d bytes but the file has %d: truncated upload?"
                            .formatted(length, size));
        }
        return length;
    }

    private static ByteBuffer read(FileChannel channel, long position, int bytes)
            throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new EOFException("the file became shorter while it was read");
            }
        }
        return buffer;
    }
}
