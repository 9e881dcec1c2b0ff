package dev.tributary.models;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Reads parameters of a checkpoint by canonical name into native memory.
final class CheckpointReader {
    private final Checkpoint checkpoint;
    private final Map<String, TensorInfo> byCanonicalName = new HashMap<>();

    CheckpointReader(Checkpoint checkpoint, Architecture architecture) {
        this.checkpoint = checkpoint;
        for (TensorInfo tensor : checkpoint.tensors().values()) {
            architecture
                    .canonicalName(tensor.name())
                    .ifPresent(name -> byCanonicalName.put(name, tensor));
        }
    }

    boolean has(String name) {
        return byCanonicalName.containsKey(name);
    }

    /// The length of a tensor's first axis; 1 where it is missing, which is refused later.
    long rowsOf(String name) {
        TensorInfo tensor = byCanonicalName.get(name);
        return tensor == null || tensor.shape().isEmpty() ? 1 : tensor.shape().getFirst();
    }

    /// Refuses the checkpoint where it does not have these parameters in these shapes.
    void refuseUnlessFits(List<Block> blocks) {
        List<Fault> faults = new ArrayList<>();
        for (Block block : blocks) {
            for (String name : block.names()) {
                TensorInfo tensor = byCanonicalName.get(name);
                if (tensor == null) {
                    faults.add(
                            new Fault(
                                    FailureCode.TENSOR_MISSING,
                                    where(name),
                                    "not in the checkpoint, expected shape %s: saved from another class?"
                                            .formatted(block.shape())));
                } else if (!tensor.shape().equals(block.shape())) {
                    faults.add(
                            new Fault(
                                    FailureCode.SHAPE_MISMATCH,
                                    where(name),
                                    "shape %s, expected %s: config.json of another model?"
                                            .formatted(tensor.shape(), block.shape())));
                } else if (!tensor.dtype().floating()) {
                    faults.add(
                            new Fault(
                                    FailureCode.DTYPE_MISMATCH,
                                    where(name),
                                    "element type %s, expected a floating one"
                                            .formatted(tensor.dtype())));
                }
            }
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
    }

    /// Reads what was found to fit.
    Weights read(List<Block> blocks) {
        Weights weights = new Weights(blocks);
        for (Block block : blocks) {
            for (String name : block.names()) {
                TensorInfo tensor = byCanonicalName.get(name);
                if (tensor == null) {
                    throw new IllegalStateException("[%s] %s".formatted(where(name), "missing"));
                }
                checkpoint.readFloats(tensor.name(), 0, weights.values(name));
            }
        }
        return weights;
    }

    private String where(String name) {
        return "%s %s".formatted(checkpoint.directory(), name);
    }
}
