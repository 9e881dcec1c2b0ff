package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.apache.avro.AvroRuntimeException;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EncodedLengthsTest {

    private static final Schema STRING = Schema.create(Schema.Type.STRING);
    private static final Schema NUMBERS = SchemaBuilder.array().items().longType();

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 4, Integer.MAX_VALUE, Long.MAX_VALUE})
    void aLengthTheBytesCannotHoldIsRefused(long length) throws IOException {
        ByteBuffer bytes = encoded(length, 'a', 'b', 'c');

        assertThatThrownBy(() -> EncodedLengths.check(STRING, bytes))
                .isInstanceOf(AvroRuntimeException.class)
                .hasMessage("a length of %d where 3 bytes are left".formatted(length));
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -5, 5, Integer.MAX_VALUE, Long.MAX_VALUE})
    void aCountTheBytesCannotHoldIsRefused(long count) throws IOException {
        ByteBuffer bytes = encoded(count, 2, 2, 2, 0);

        assertThatThrownBy(() -> EncodedLengths.check(NUMBERS, bytes))
                .isInstanceOf(AvroRuntimeException.class);
    }

    @Test
    void blocksOfBothFormsAreUnderstood() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        encoder.writeLong(2); // two items
        encoder.writeLong(7);
        encoder.writeLong(-1L << 40);
        encoder.writeLong(-1); // one item, and the size of the block in bytes
        encoder.writeLong(1);
        encoder.writeLong(7);
        encoder.writeLong(0);

        assertThatCode(() -> EncodedLengths.check(NUMBERS, ByteBuffer.wrap(bytes.toByteArray())))
                .doesNotThrowAnyException();
    }

    @Test
    void bytesAfterTheEndAreRefused() throws IOException {
        ByteBuffer bytes = encoded(1, 'a', 'b');

        assertThatThrownBy(() -> EncodedLengths.check(STRING, bytes))
                .hasMessage("1 bytes follow after its end");
    }

    @Test
    void anEndTooEarlyIsRefused() {
        assertThatThrownBy(() ->
                        EncodedLengths.check(
                                Schema.create(Schema.Type.LONG),
                                ByteBuffer.wrap(new byte[] {(byte) 0x80})))
                .hasMessage("it ends too early");
    }

    @Test
    void anEndlessNumberIsRefused() {
        byte[] bytes = new byte[20];
        java.util.Arrays.fill(bytes, (byte) 0x80);

        assertThatThrownBy(() ->
                        EncodedLengths.check(
                                Schema.create(Schema.Type.LONG), ByteBuffer.wrap(bytes)))
                .hasMessage("a number of more than ten bytes");
    }

    private static ByteBuffer encoded(long number, int... bytesAfter) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        EncoderFactory.get().directBinaryEncoder(bytes, null).writeLong(number);
        for (int next : bytesAfter) {
            bytes.write(next);
        }
        return ByteBuffer.wrap(bytes.toByteArray());
    }
}
