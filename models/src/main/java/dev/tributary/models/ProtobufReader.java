package dev.tributary.models;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// Walks over the fields of a protobuf message in memory, without a schema and without copying:
/// enough of the wire format to read weights out of an ONNX file.
final class ProtobufReader {
    /// A field whose value is a number.
    static final int VARINT = 0;

    /// A field whose value is a message, text, bytes or packed numbers.
    static final int BYTES = 2;

    private static final int FIXED64 = 1;
    private static final int FIXED32 = 5;

    private final MemorySegment message;
    private long position;
    private int field;
    private int wireType;
    private long number;
    private long start;
    private long length;

    ProtobufReader(MemorySegment message) {
        this.message = message;
    }

    /// Moves to the next field; false at the end.
    boolean next() {
        if (position >= message.byteSize()) {
            return false;
        }
        long key = varint();
        field = Math.toIntExact(key >>> 3);
        wireType = (int) (key & 7);
        switch (wireType) {
            case VARINT -> number = varint();
            case BYTES -> take(varint());
            case FIXED64 -> take(Long.BYTES);
            case FIXED32 -> take(Integer.BYTES);
            default ->
                    throw new IllegalArgumentException(
                            "byte %d: wire type %d, expected a protobuf message"
                                    .formatted(position, wireType));
        }
        return true;
    }

    int field() {
        return field;
    }

    int wireType() {
        return wireType;
    }

    long number() {
        return number;
    }

    MemorySegment bytes() {
        return message.asSlice(start, length);
    }

    String text() {
        return new String(bytes().toArray(ValueLayout.JAVA_BYTE), StandardCharsets.UTF_8);
    }

    /// The numbers packed into one field.
    static List<Long> packed(MemorySegment bytes) {
        ProtobufReader numbers = new ProtobufReader(bytes);
        List<Long> values = new ArrayList<>();
        while (numbers.position < bytes.byteSize()) {
            values.add(numbers.varint());
        }
        return values;
    }

    private void take(long bytes) {
        start = position;
        length = bytes;
        position = Math.addExact(position, bytes);
        if (bytes < 0 || position > message.byteSize()) {
            throw new IllegalArgumentException(
                    "byte %d: a field of %d bytes in a message of %d: truncated?"
                            .formatted(start, bytes, message.byteSize()));
        }
    }

    private long varint() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            byte next = message.get(ValueLayout.JAVA_BYTE, position++);
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IllegalArgumentException("byte %d: a number without an end".formatted(position));
    }
}
