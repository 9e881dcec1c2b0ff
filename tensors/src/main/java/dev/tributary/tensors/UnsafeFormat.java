package dev.tributary.tensors;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// Recognises formats that are never read here by their first bytes, whatever a file is called.
/// Several of them (pickle, and the archives that hold pickles) run code when they are loaded.
enum UnsafeFormat {
    ZIP("504b0304", "a zip archive, as torch.save writes it"),
    EMPTY_ZIP("504b0506", "a zip archive"),
    GZIP("1f8b08", "a gzip archive"),
    ZSTANDARD("28b52ffd", "a zstandard archive"),
    SEVEN_ZIP("377abcaf271c", "a 7z archive"),
    GGUF("47475546", "a GGUF model"),
    GGML("6c6d6767", "a GGML model"),
    HDF5("894844460d0a1a0a", "an HDF5 file"),
    NUMPY("934e554d5059", "a NumPy array"),
    JAVA("aced0005", "a serialised Java object"),
    PICKLE_2("8002", "a Python pickle"),
    PICKLE_3("8003", "a Python pickle"),
    PICKLE_4("8004", "a Python pickle"),
    PICKLE_5("8005", "a Python pickle");

    private static final int LONGEST_HEAD = 512;
    private static final int TAR_MAGIC_AT = 257;
    private static final String TAR_MAGIC = "7573746172";
    private static final int SAFETENSORS_LENGTH_BYTES = 8;

    private final String magic;
    private final String description;

    UnsafeFormat(String magic, String description) {
        this.magic = magic;
        this.description = description;
    }

    /// Refuses a file that begins like one of these formats.
    static void check(Path file, FileChannel channel) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(LONGEST_HEAD);
        while (head.hasRemaining() && channel.read(head, head.position()) > 0) {}
        byte[] bytes = Arrays.copyOf(head.array(), head.position());
        Optional<String> found = recognise(bytes);
        if (found.isPresent()) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.UNSAFE_FORMAT,
                    "is %s, expected safetensors: convert it where it comes from, and publish the result"
                            .formatted(found.get()));
        }
    }

    /// What a file that begins with these bytes is, when that is a format never read here.
    static Optional<String> recognise(byte[] head) {
        if (looksLikeSafetensors(head)) {
            return Optional.empty();
        }
        if (startsWith(head, TAR_MAGIC_AT, HexFormat.of().parseHex(TAR_MAGIC))) {
            return Optional.of("a tar archive");
        }
        return Arrays.stream(values())
                .filter(format -> startsWith(head, 0, HexFormat.of().parseHex(format.magic)))
                .map(format -> format.description)
                .findFirst();
    }

    /// A header length can happen to have the bytes of a magic number: 640 is how a pickle begins.
    private static boolean looksLikeSafetensors(byte[] head) {
        return head.length > SAFETENSORS_LENGTH_BYTES
                && head[4] == 0
                && head[5] == 0
                && head[6] == 0
                && head[7] == 0
                && "{ \t\r\n".indexOf(head[SAFETENSORS_LENGTH_BYTES]) >= 0;
    }

    private static boolean startsWith(byte[] head, int at, byte[] magic) {
        return head.length >= at + magic.length
                && Arrays.equals(head, at, at + magic.length, magic, 0, magic.length);
    }
}
