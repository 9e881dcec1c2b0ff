package dev.tributary.schemas;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/// A record on its way into a dead-letter queue: key, value and headers byte for byte as they came,
/// and around them where it came from and why it was set aside. The `kafka_dlt-…` headers are those
/// Spring for Apache Kafka writes, so tools made for it read ours.
///
/// @param original the record as it was read
/// @param consumerGroup the group that read it
/// @param code the stable code of the failure
/// @param message what was found and what to do
/// @param stage the step that refused it
/// @param worker the worker that refused it
/// @param cause the exception behind it, if there is one
public record DeadLetterRecord(
        ConsumerRecord<byte[], byte[]> original,
        String consumerGroup,
        String code,
        String message,
        String stage,
        String worker,
        @Nullable Throwable cause) {

    /// The stable code of the failure.
    public static final String ERROR_CODE = "tributary-error-code";

    /// What was found and what to do.
    public static final String ERROR_MESSAGE = "tributary-error-message";

    /// The step that refused the record.
    public static final String STAGE = "tributary-stage";

    /// The worker that refused the record.
    public static final String WORKER = "tributary-worker";

    /// Bytes of a record that is too large to be kept whole: a broker takes a megabyte, and what is
    /// said around it has to fit in, too.
    public static final String CUT = "tributary-cut-from-bytes";

    private static final String ORIGIN = "kafka_dlt-";
    private static final Set<String> OURS = Set.of(ERROR_CODE, ERROR_MESSAGE, STAGE, WORKER, CUT);
    private static final int LARGEST = 768 * 1024;
    private static final int KEPT = 64 * 1024;
    private static final int LONGEST_MESSAGE = 64 * 1024;
    private static final int LONGEST_STACK_TRACE = 8192;

    /// The record to send: same key, same value, same partition number. Of one that is too large
    /// for the queue, only the beginning, without its headers: it must not hold up its partition.
    public ProducerRecord<byte[], byte[]> toProducerRecord(Topic queue) {
        long bytes = bytes(original);
        boolean cut = bytes > LARGEST;
        Headers headers = cut ? new RecordHeaders() : withoutAdded(original.headers());
        if (cut) {
            headers.add(CUT, Long.toString(bytes).getBytes(UTF_8));
        }
        put(headers, "original-topic", original.topic().getBytes(UTF_8));
        put(headers, "original-partition", bytes(original.partition()));
        put(headers, "original-offset", bytes(original.offset()));
        put(headers, "original-timestamp", bytes(original.timestamp()));
        put(headers, "original-timestamp-type", original.timestampType().name.getBytes(UTF_8));
        put(headers, "original-consumer-group", consumerGroup.getBytes(UTF_8));
        if (cause != null) {
            put(headers, "exception-fqcn", cause.getClass().getName().getBytes(UTF_8));
            String said = beginning(String.valueOf(cause.getMessage()), LONGEST_MESSAGE);
            put(headers, "exception-message", said.getBytes(UTF_8));
            put(headers, "exception-stacktrace", stackTrace(cause).getBytes(UTF_8));
            if (cause.getCause() != null) {
                String fqcn = cause.getCause().getClass().getName();
                put(headers, "exception-cause-fqcn", fqcn.getBytes(UTF_8));
            }
        }
        headers.add(ERROR_CODE, code.getBytes(UTF_8));
        headers.add(ERROR_MESSAGE, beginning(message, LONGEST_MESSAGE).getBytes(UTF_8));
        headers.add(STAGE, stage.getBytes(UTF_8));
        headers.add(WORKER, worker.getBytes(UTF_8));
        int partition = original.partition() % queue.partitions();
        return new ProducerRecord<>(
                queue.topicName(),
                partition,
                null,
                cut ? beginning(original.key()) : original.key(),
                cut ? beginning(original.value()) : original.value(),
                headers);
    }

    private static long bytes(ConsumerRecord<byte[], byte[]> record) {
        long bytes = length(record.key()) + length(record.value());
        for (Header header : record.headers()) {
            bytes += header.key().length() + length(header.value());
        }
        return bytes;
    }

    private static long length(byte @Nullable [] part) {
        return part == null ? 0 : part.length;
    }

    private static byte @Nullable [] beginning(byte @Nullable [] part) {
        return part == null ? null : Arrays.copyOf(part, Math.min(part.length, KEPT));
    }

    private static String beginning(String text, int most) {
        return text.substring(0, Math.min(text.length(), most));
    }

    /// Whether only the beginning of a record is kept, which cannot be replayed.
    public static boolean isCut(ConsumerRecord<byte[], byte[]> deadLetter) {
        return deadLetter.headers().lastHeader(CUT) != null;
    }

    /// The record a dead letter was made from, to be sent to its first topic once more.
    ///
    /// @throws IllegalArgumentException when the record is not a dead letter
    public static ProducerRecord<byte[], byte[]> replayed(
            ConsumerRecord<byte[], byte[]> deadLetter) {
        String topic =
                EventHeaders.text(deadLetter.headers(), ORIGIN + "original-topic")
                        .orElseThrow(() ->
                                new IllegalArgumentException(
                                        "[%s-%d@%d] has no header %soriginal-topic, expected a dead letter"
                                                .formatted(
                                                        deadLetter.topic(),
                                                        deadLetter.partition(),
                                                        deadLetter.offset(),
                                                        ORIGIN)));
        return new ProducerRecord<>(
                topic,
                null,
                null,
                deadLetter.key(),
                deadLetter.value(),
                withoutAdded(deadLetter.headers()));
    }

    private static Headers withoutAdded(Headers headers) {
        Headers kept = new RecordHeaders();
        for (Header header : headers) {
            if (!header.key().startsWith(ORIGIN) && !OURS.contains(header.key())) {
                kept.add(header);
            }
        }
        return kept;
    }

    private static void put(Headers headers, String name, byte[] value) {
        headers.add(ORIGIN + name, value);
    }

    private static byte[] bytes(int value) {
        return ByteBuffer.allocate(Integer.BYTES).putInt(value).array();
    }

    private static byte[] bytes(long value) {
        return ByteBuffer.allocate(Long.BYTES).putLong(value).array();
    }

    private static String stackTrace(Throwable cause) {
        StringWriter text = new StringWriter();
        cause.printStackTrace(new PrintWriter(text));
        return beginning(text.toString(), LONGEST_STACK_TRACE);
    }
}
