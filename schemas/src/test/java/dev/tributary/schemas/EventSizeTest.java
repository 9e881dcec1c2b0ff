package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificDatumWriter;
import org.apache.avro.specific.SpecificRecordBase;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Events refer to weights and never carry them, so they stay small however large the models are.
class EventSizeTest {

    private static final int LARGEST_BYTES = 16 * 1024;

    static java.util.List<SpecificRecordBase> eventsOfALargePool() {
        return EventSamples.ofPool(20, 14);
    }

    @ParameterizedTest
    @MethodSource("eventsOfALargePool")
    void anEventOfTwentyTasksAndFourteenGroupsStaysUnderSixteenKibibytes(SpecificRecordBase event)
            throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
        new SpecificDatumWriter<>(event.getSchema()).write(event, encoder);

        assertThat(bytes.size()).isPositive().isLessThan(LARGEST_BYTES);
    }
}
