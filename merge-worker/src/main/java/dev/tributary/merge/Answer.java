package dev.tributary.merge;

import dev.tributary.tensors.Fault;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Everything that becomes visible in one transaction: the end of some records' wait.
///
/// @param records the records that have their answer with this, accepted and refused
/// @param states pools whose state has to be written down
/// @param outcome what a merge came to; null when none was needed
/// @param rest what still waits
record Answer(
        List<OpenRecord> records,
        List<PoolState> states,
        @Nullable Outcome outcome,
        OpenRecords rest) {
    Answer {
        records = List.copyOf(records);
        states = List.copyOf(states);
    }

    /// What a merge came to.
    sealed interface Outcome {}

    /// A generation.
    ///
    /// @param covers ids of all events it is the answer to
    /// @param superseded ids of those among them whose checkpoint was replaced before the merge
    /// @param before the generation before; null for the first
    record Merged(
            MergedGeneration generation,
            List<String> covers,
            List<String> superseded,
            @Nullable LastGeneration before)
            implements Outcome {
        public Merged {
            covers = List.copyOf(covers);
            superseded = List.copyOf(superseded);
        }
    }

    /// No generation, for good.
    ///
    /// @param covers ids of all events that waited for it
    record Failed(Wish wish, List<Fault> faults, List<String> covers) implements Outcome {
        public Failed {
            faults = List.copyOf(faults);
            covers = List.copyOf(covers);
        }
    }

    /// The offset the consumer group has dealt with everything before.
    long commitOffset() {
        return rest.committable();
    }

    /// The refused among the records.
    List<OpenRecord> refused() {
        return records.stream().filter(OpenRecord::refused).toList();
    }
}
