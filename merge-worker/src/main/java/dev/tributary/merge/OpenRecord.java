package dev.tributary.merge;

import dev.tributary.tensors.Fault;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A record that was read and looked at, and whose answer has not been published yet.
///
/// @param read the record and what it says
/// @param pool the pool whose answer it waits for; null when it belongs to no pool known here
/// @param faults why it was refused; empty when it was accepted
/// @param stage the step that refused or accepted it
/// @param again whether it is an event the pool had already: it changes nothing, and whatever
///   answers it does not cover it a second time
record OpenRecord(
        PoolRecord read, @Nullable String pool, List<Fault> faults, Stage stage, boolean again) {

    /// The steps a record goes through.
    enum Stage {
        /// Reading its bytes.
        DECODE,
        /// Looking at what it refers to.
        ADMIT,
        /// Merging what its pool wants.
        MERGE;

        /// As it stands in a dead letter.
        String text() {
            return name().toLowerCase(java.util.Locale.ROOT);
        }
    }

    OpenRecord {
        faults = List.copyOf(faults);
    }

    /// Where it is in its partition.
    long offset() {
        return read.source().offset();
    }

    /// Whether it was refused.
    boolean refused() {
        return !faults.isEmpty();
    }

    /// The same record, refused by a later step after all.
    OpenRecord refusedBy(Stage later, List<Fault> reasons) {
        return new OpenRecord(read, pool, reasons, later, again);
    }
}
