package dev.tributary.cli;

import dev.tributary.events.DeadLetterSettled;
import dev.tributary.schemas.DeadLetterRecord;
import dev.tributary.schemas.EventHeaders;
import java.nio.charset.StandardCharsets;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// A record in a dead-letter queue, and what has been done about it.
///
/// @param settled the last that was done; null while nobody has dealt with it
record SetAside(ConsumerRecord<byte[], byte[]> record, @Nullable DeadLetterSettled settled) {
    private static final String PREFIX = "tributary.";
    private static final String SUFFIX = ".dlq";

    /// What a person calls it: topic, partition and offset of the queue.
    String id() {
        String topic = record.topic();
        String name =
                topic.startsWith(PREFIX) && topic.endsWith(SUFFIX)
                        ? topic.substring(PREFIX.length(), topic.length() - SUFFIX.length())
                        : topic;
        return "%s-%d-%d".formatted(name, record.partition(), record.offset());
    }

    /// The pool or another key; empty where the record had none.
    String key() {
        return record.key() == null ? "" : new String(record.key(), StandardCharsets.UTF_8);
    }

    String code() {
        return header(DeadLetterRecord.ERROR_CODE);
    }

    String message() {
        return header(DeadLetterRecord.ERROR_MESSAGE);
    }

    String header(String name) {
        return EventHeaders.text(record.headers(), name).orElse("");
    }
}
