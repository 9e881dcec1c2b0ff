package dev.tributary.tensors;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;

/// The JSON header of a safetensors file, checked so strictly that any two readers of an accepted
/// file see the same tensors: no key twice, no hole, no overlap, no byte left over.
///
/// @param tensors by name, sorted
/// @param metadata the free-form `__metadata__`
/// @param leadingWhitespaceBytes blanks before the opening brace; some writers align pages so
record SafetensorsHeader(
        SequencedMap<String, TensorInfo> tensors,
        Map<String, String> metadata,
        int leadingWhitespaceBytes) {

    /// No header is read that says it is longer than this, or than one hundredth of its file when
    /// that is more.
    static final long MAX_BYTES = 16L << 20;

    /// The limit of the reference reader, which nothing raises.
    static final long MAX_BYTES_OF_REFERENCE = 100_000_000;

    static final int MAX_TENSORS = 100_000;
    static final int MAX_NAME_LENGTH = 512;

    private static final String METADATA_KEY = "__metadata__";

    SafetensorsHeader {
        tensors = Collections.unmodifiableSequencedMap(tensors);
        metadata = Map.copyOf(metadata);
    }

    /// Reads a header.
    ///
    /// @param file the file it is from, for messages only
    /// @param json the header's bytes
    /// @param dataBytes how many bytes follow the header in the file
    static SafetensorsHeader parse(Path file, byte[] json, long dataBytes) {
        int blanks = leadingBlanks(json);
        if (blanks == json.length || json[blanks] != '{') {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.INVALID_HEADER_START,
                    "the header does not begin with '{': not a safetensors file?");
        }
        Map<String, String> metadata = new HashMap<>();
        SequencedMap<String, TensorInfo> tensors = new TreeMap<>();
        StrictJson.Names names = new StrictJson.Names();
        try (StrictJson in = StrictJson.of(file, json, StrictJson.HEADER)) {
            TensorInfoReader reader = new TensorInfoReader(file, in);
            in.beginObject();
            for (String name = in.nextName(names); name != null; name = in.nextName(names)) {
                if (name.equals(METADATA_KEY)) {
                    readMetadata(in, metadata);
                } else {
                    checkName(file, name, tensors.size());
                    tensors.put(name, reader.read(name));
                }
            }
            in.end();
        }
        checkLayout(file, tensors.values().stream().toList(), dataBytes);
        return new SafetensorsHeader(tensors, metadata, blanks);
    }

    private static int leadingBlanks(byte[] json) {
        int blanks = 0;
        while (blanks < json.length && " \t\r\n".indexOf(json[blanks]) >= 0) {
            blanks++;
        }
        return blanks;
    }

    private static void readMetadata(StrictJson in, Map<String, String> metadata) {
        in.beginObject(CorruptionKind.METADATA_INVALID, METADATA_KEY);
        StrictJson.Names names = new StrictJson.Names();
        for (String key = in.nextName(names); key != null; key = in.nextName(names)) {
            metadata.put(key, in.nextText(CorruptionKind.METADATA_INVALID, METADATA_KEY));
        }
    }

    private static void checkName(Path file, String name, int tensorsSoFar) {
        if (tensorsSoFar == MAX_TENSORS) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.TOO_MANY_TENSORS,
                    "the header lists more than %d tensors, the limit".formatted(MAX_TENSORS));
        }
        if (name.isEmpty()
                || name.length() > MAX_NAME_LENGTH
                || name.chars().anyMatch(Character::isISOControl)) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.TENSOR_NAME_INVALID,
                    "tensor %d has a name of %d characters%s, expected 1 to %d without control characters"
                            .formatted(
                                    tensorsSoFar,
                                    name.length(),
                                    name.chars().anyMatch(Character::isISOControl)
                                            ? " with control characters"
                                            : "",
                                    MAX_NAME_LENGTH));
        }
    }

    private static void checkLayout(Path file, List<TensorInfo> tensors, long dataBytes) {
        List<TensorInfo> placed =
                tensors.stream()
                        .sorted(
                                Comparator.comparingLong(TensorInfo::begin)
                                        .thenComparingLong(TensorInfo::end))
                        .toList();
        long end = 0;
        for (TensorInfo tensor : placed) {
            if (tensor.begin() != end) {
                throw new CorruptCheckpointException(
                        file,
                        tensor.begin() < end
                                ? CorruptionKind.OVERLAP
                                : CorruptionKind.INVALID_OFFSET,
                        "tensor '%s' begins at byte %d, expected %d, where the one before it ends"
                                .formatted(tensor.name(), tensor.begin(), end));
            }
            end = tensor.end();
        }
        if (end != dataBytes) {
            throw new CorruptCheckpointException(
                    file,
                    CorruptionKind.METADATA_INCOMPLETE_BUFFER,
                    "the tensors end at byte %d of the data but the file has %d: %s"
                            .formatted(
                                    end,
                                    dataBytes,
                                    end > dataBytes ? "truncated upload?" : "something appended?"));
        }
    }
}
