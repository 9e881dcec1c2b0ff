package dev.tributary.merging;

import dev.tributary.models.Architecture;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.TensorInfo;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.TreeMap;

/// The tensors of one checkpoint under their canonical names, without those that take no part in
/// the model's outputs.
///
/// @param tensors sorted by canonical name
record TensorNames(SequencedMap<String, TensorInfo> tensors) {

    /// Renames a checkpoint's tensors; two files' names for one weight are a fault.
    static TensorNames of(
            Checkpoint checkpoint,
            Optional<Architecture> architecture,
            String where,
            List<Fault> faults) {
        SequencedMap<String, TensorInfo> byName = new TreeMap<>();
        for (TensorInfo info : checkpoint.tensors().values()) {
            Optional<String> name =
                    architecture.isPresent()
                            ? architecture.get().canonicalName(info.name())
                            : Optional.of(info.name());
            if (name.isEmpty()) {
                continue;
            }
            TensorInfo other = byName.put(name.get(), info);
            if (other != null) {
                faults.add(
                        new Fault(
                                FailureCode.ARCHITECTURE_MISMATCH,
                                where + " " + info.name(),
                                "is the same weight as '%s', expected one of the two"
                                        .formatted(other.name())));
            }
        }
        return new TensorNames(byName);
    }
}
