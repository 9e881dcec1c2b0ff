package dev.tributary.schemas;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;

/// Walks over Avro binary without building anything, so that a length or a count that the bytes
/// cannot hold is found before memory is set aside for it.
final class EncodedLengths {

    private static final int DEEPEST = 64;

    private final ByteBuffer bytes;

    private EncodedLengths(ByteBuffer bytes) {
        this.bytes = bytes;
    }

    /// Checks that the bytes are exactly one value of the schema.
    ///
    /// @throws AvroRuntimeException when they are not
    static void check(Schema schema, ByteBuffer bytes) {
        try {
            new EncodedLengths(bytes).skip(schema, 0);
        } catch (BufferUnderflowException e) {
            throw new AvroRuntimeException("it ends too early", e);
        }
        if (bytes.hasRemaining()) {
            throw new AvroRuntimeException(
                    "%d bytes follow after its end".formatted(bytes.remaining()));
        }
    }

    private void skip(Schema schema, int depth) {
        if (depth > DEEPEST) {
            throw new AvroRuntimeException("it is nested too deep");
        }
        switch (schema.getType()) {
            case NULL -> {}
            case BOOLEAN -> skipBytes(1);
            case INT, LONG, ENUM -> readLong();
            case FLOAT -> skipBytes(Float.BYTES);
            case DOUBLE -> skipBytes(Double.BYTES);
            case STRING, BYTES -> skipBytes(readLong());
            case FIXED -> skipBytes(schema.getFixedSize());
            case RECORD -> schema.getFields().forEach(field -> skip(field.schema(), depth + 1));
            case UNION -> skip(branch(schema), depth + 1);
            case ARRAY -> skipBlocks(() -> skip(schema.getElementType(), depth + 1));
            case MAP ->
                    skipBlocks(() -> {
                        skipBytes(readLong());
                        skip(schema.getValueType(), depth + 1);
                    });
        }
    }

    private Schema branch(Schema union) {
        long index = readLong();
        if (index < 0 || index >= union.getTypes().size()) {
            throw new AvroRuntimeException(
                    "alternative %d of %d".formatted(index, union.getTypes().size()));
        }
        return union.getTypes().get((int) index);
    }

    private void skipBlocks(Runnable item) {
        for (long count = readLong(); count != 0; count = readLong()) {
            if (count < 0) { // a negative count is followed by the size of the block in bytes
                count = -count;
                readLong();
            }
            if (count < 0 || count > bytes.remaining()) { // every item of ours takes a byte
                throw new AvroRuntimeException(
                        "%d items in %d bytes".formatted(count, bytes.remaining()));
            }
            for (long i = 0; i < count; i++) {
                item.run();
            }
        }
    }

    private void skipBytes(long count) {
        if (count < 0 || count > bytes.remaining()) {
            throw new AvroRuntimeException(
                    "a length of %d where %d bytes are left".formatted(count, bytes.remaining()));
        }
        bytes.position(bytes.position() + (int) count);
    }

    /// Avro's variable-length zig-zag number, at most ten bytes.
    private long readLong() {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            byte next = bytes.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return (value >>> 1) ^ -(value & 1);
            }
        }
        throw new AvroRuntimeException("a number of more than ten bytes");
    }
}
