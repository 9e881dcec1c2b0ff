package dev.tributary.merge;

import dev.tributary.tensors.Fault;
import java.util.List;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/// A record that was read and looked at, and whose answer has not been published yet.
///
/// @param record as it came
/// @param event what it says; null when that could not be read
/// @param pool the pool whose answer it waits for; null when it belongs to no pool known here
/// @param faults why it was refused; empty when it was accepted
/// @param stage the step that refused or accepted it
record OpenRecord(
        ConsumerRecord<byte[], byte[]> record,
        @Nullable PoolEvent event,
        @Nullable String pool,
        List<Fault> faults,
        String stage) {
    OpenRecord {
        faults = List.copyOf(faults);
    }

    /// Where it is in its partition.
    long offset() {
        return record.offset();
    }

    /// Whether it was refused.
    boolean refused() {
        return !faults.isEmpty();
    }

    /// The same record, refused after all.
    OpenRecord refusedFor(List<Fault> reasons, String at) {
        return new OpenRecord(record, event, pool, reasons, at);
    }
}
