package dev.tributary.merge;

import dev.tributary.tensors.Fault;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// A record of pool events after it was read: what it says, or why it cannot be read.
///
/// @param source the record as it came
/// @param event what it says; null when it has faults
/// @param eventId its id, as far as it can be told
/// @param pool the pool it names, as far as it can be told
/// @param task the task it names, if it names one
/// @param faults why it cannot be read; empty when it can
record PoolRecord(
        ConsumerRecord<byte[], byte[]> source,
        @Nullable PoolEvent event,
        @Nullable String eventId,
        @Nullable String pool,
        @Nullable String task,
        List<Fault> faults) {
    PoolRecord {
        faults = List.copyOf(faults);
    }

    /// A record that could be read.
    static PoolRecord of(ConsumerRecord<byte[], byte[]> source, PoolEvent event) {
        return new PoolRecord(source, event, event.eventId(), event.pool(), task(event), List.of());
    }

    /// Where it is, for people.
    String place() {
        return "%s-%d@%d".formatted(source.topic(), source.partition(), source.offset());
    }

    private static @Nullable String task(PoolEvent event) {
        return switch (event) {
            case PoolEvent.Configured _ -> null;
            case PoolEvent.Published published -> published.task();
            case PoolEvent.Retired retired -> retired.task();
        };
    }
}
