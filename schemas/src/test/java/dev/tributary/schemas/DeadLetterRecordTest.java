package dev.tributary.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class DeadLetterRecordTest {

    private static final byte[] KEY = "support-desk".getBytes(UTF_8);
    private static final byte[] VALUE = {0, 0, 0, 0, 9, 1, 2, 3};

    @Test
    void keyValueAndHeadersStayAsTheyCame() {
        ProducerRecord<byte[], byte[]> sent = deadLetter(null);

        assertThat(sent.topic()).isEqualTo("tributary.pool-events.dlq");
        assertThat(sent.partition()).isEqualTo(4);
        assertThat(sent.key()).isEqualTo(KEY);
        assertThat(sent.value()).isEqualTo(VALUE);
        assertThat(sent.headers().lastHeader("ce_id").value()).isEqualTo("a".getBytes(UTF_8));
        assertThat(sent.headers().lastHeader("tributary-team")).isNotNull();
    }

    @Test
    void itSaysWhereTheRecordCameFromInTheHeadersOfSpring() {
        Headers headers = deadLetter(null).headers();

        assertThat(text(headers, "kafka_dlt-original-topic")).contains("tributary.pool-events");
        assertThat(buffer(headers, "kafka_dlt-original-partition").getInt()).isEqualTo(4);
        assertThat(buffer(headers, "kafka_dlt-original-offset").getLong()).isEqualTo(1L << 40);
        assertThat(buffer(headers, "kafka_dlt-original-timestamp").getLong()).isEqualTo(1234L);
        assertThat(text(headers, "kafka_dlt-original-timestamp-type")).contains("CreateTime");
        assertThat(text(headers, "kafka_dlt-original-consumer-group")).contains("merge-workers");
        assertThat(headers.lastHeader("kafka_dlt-exception-fqcn")).isNull();
    }

    @Test
    void itSaysWhyTheRecordWasSetAside() {
        Headers headers =
                deadLetter(new IllegalStateException("no", new ArithmeticException("why")))
                        .headers();

        assertThat(text(headers, "tributary-error-code")).contains("UNSAFE_FORMAT");
        assertThat(text(headers, "tributary-error-message")).contains("[model.bin] is a pickle");
        assertThat(text(headers, "tributary-stage")).contains("admission");
        assertThat(text(headers, "tributary-worker")).contains("merge-worker-0");
        assertThat(text(headers, "kafka_dlt-exception-fqcn"))
                .contains("java.lang.IllegalStateException");
        assertThat(text(headers, "kafka_dlt-exception-cause-fqcn"))
                .contains("java.lang.ArithmeticException");
        assertThat(text(headers, "kafka_dlt-exception-message")).contains("no");
        assertThat(text(headers, "kafka_dlt-exception-stacktrace").orElseThrow())
                .contains("DeadLetterRecordTest");
    }

    @Test
    void replayingADeadLetterGivesTheRecordAsItCame() {
        ProducerRecord<byte[], byte[]> replayed =
                DeadLetterRecord.replayed(received(deadLetter(new IllegalStateException("no"))));

        assertThat(replayed.topic()).isEqualTo("tributary.pool-events");
        assertThat(replayed.key()).isEqualTo(KEY);
        assertThat(replayed.value()).isEqualTo(VALUE);
        assertThat(replayed.headers()).isEqualTo(headersAsTheyCame());
    }

    @Test
    void settingARecordAsideOnceMoreKeepsOneReason() {
        ConsumerRecord<byte[], byte[]> again = received(deadLetter(null));

        Headers headers =
                new DeadLetterRecord(again, "g", "GAVE_UP", "m", "s", "w", null)
                        .toProducerRecord(Topic.POOL_EVENTS_DLQ)
                        .headers();

        assertThat(headers.headers("tributary-error-code")).hasSize(1);
        assertThat(text(headers, "tributary-error-code")).contains("GAVE_UP");
    }

    @Test
    void anOrdinaryRecordCannotBeReplayed() {
        assertThatThrownBy(() -> DeadLetterRecord.replayed(original()))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("[tributary.pool-events-4@1099511627776]");
    }

    /// A record a broker has taken may be too large with what is said around it.
    @Test
    void ofARecordThatIsTooLargeTheBeginningIsKept() {
        byte[] value = new byte[1_000_000];
        value[7] = 42;
        ProducerRecord<byte[], byte[]> sent =
                new DeadLetterRecord(
                                original(value),
                                "g",
                                "UNREADABLE",
                                "m".repeat(1_000_000),
                                "s",
                                "w",
                                new IllegalStateException("no".repeat(1_000_000)))
                        .toProducerRecord(Topic.POOL_EVENTS_DLQ);
        long bytes = (long) sent.key().length + sent.value().length;
        for (Header header : sent.headers()) {
            bytes += header.key().length() + header.value().length;
        }
        assertThat(bytes).isLessThan(300_000);
        assertThat(sent.value()).startsWith(Arrays.copyOf(value, 100));
        assertThat(text(sent.headers(), "tributary-cut-from-bytes").map(Integer::valueOf))
                .hasValueSatisfying(all -> assertThat(all).isBetween(1_000_000, 1_000_100));
        assertThat(buffer(sent.headers(), "kafka_dlt-original-offset").getLong())
                .isEqualTo(1L << 40);
        assertThat(DeadLetterRecord.isCut(received(sent))).isTrue();
        assertThat(DeadLetterRecord.isCut(received(deadLetter(null)))).isFalse();
    }

    private static ProducerRecord<byte[], byte[]> deadLetter(
            @org.jspecify.annotations.Nullable Throwable cause) {
        return new DeadLetterRecord(
                        original(),
                        "merge-workers",
                        "UNSAFE_FORMAT",
                        "[model.bin] is a pickle",
                        "admission",
                        "merge-worker-0",
                        cause)
                .toProducerRecord(Topic.POOL_EVENTS_DLQ);
    }

    private static Headers headersAsTheyCame() {
        return new RecordHeaders()
                .add("ce_id", "a".getBytes(UTF_8))
                .add("tributary-team", "b".getBytes(UTF_8));
    }

    private static ConsumerRecord<byte[], byte[]> original() {
        return original(VALUE);
    }

    private static ConsumerRecord<byte[], byte[]> original(byte[] value) {
        return new ConsumerRecord<>(
                "tributary.pool-events",
                4,
                1L << 40,
                1234L,
                TimestampType.CREATE_TIME,
                KEY.length,
                value.length,
                KEY,
                value,
                headersAsTheyCame(),
                Optional.empty());
    }

    private static ConsumerRecord<byte[], byte[]> received(ProducerRecord<byte[], byte[]> sent) {
        return new ConsumerRecord<>(
                sent.topic(),
                sent.partition(),
                0,
                0,
                TimestampType.CREATE_TIME,
                KEY.length,
                VALUE.length,
                sent.key(),
                sent.value(),
                sent.headers(),
                Optional.empty());
    }

    private static Optional<String> text(Headers headers, String name) {
        return EventHeaders.text(headers, name);
    }

    private static ByteBuffer buffer(Headers headers, String name) {
        return ByteBuffer.wrap(headers.lastHeader(name).value());
    }
}
