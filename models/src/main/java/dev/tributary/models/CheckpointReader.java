package dev.tributary.models;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import dev.tributary.tensors.TensorInfo;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Reads parameters of a checkpoint by canonical name into native memory.
final class CheckpointReader {
    private final Checkpoint checkpoint;
    private final String tokenTable;
    private final Map<String, TensorInfo> byCanonicalName = new HashMap<>();

    CheckpointReader(Checkpoint checkpoint, Architecture architecture) {
        this.checkpoint = checkpoint;
        this.tokenTable = architecture.tokenTable();
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

    /// Reads what was found to fit; of the word embeddings only the rows of these tokens, or all
    /// where none are named.
    Weights read(List<Block> blocks, @Nullable TokenSubset tokens) {
        Weights weights = new Weights(blocks.stream().map(block -> held(block, tokens)).toList());
        for (Block block : blocks) {
            for (String name : block.names()) {
                TensorInfo tensor = byCanonicalName.get(name);
                if (tensor == null) {
                    throw new IllegalStateException("[%s] %s".formatted(where(name), "missing"));
                }
                if (tokens != null && name.equals(tokenTable)) {
                    readRows(tensor, tokens, weights.values(name));
                } else {
                    checkpoint.readFloats(tensor.name(), 0, weights.values(name));
                }
            }
        }
        return weights;
    }

    private Block held(Block block, @Nullable TokenSubset tokens) {
        return tokens != null && block.names().contains(tokenTable)
                ? Block.of(tokenTable, tokens.size(), block.shape().getLast())
                : block;
    }

    private void readRows(TensorInfo table, TokenSubset tokens, MemorySegment target) {
        for (HeldStretch row : tokens.rows()) {
            HeldStretch stretch = row.times(table.shape().getLast());
            checkpoint.readFloats(
                    table.name(),
                    stretch.from(),
                    target.asSlice(
                            stretch.heldFrom() * Float.BYTES, stretch.count() * Float.BYTES));
        }
    }

    private String where(String name) {
        return "%s %s".formatted(checkpoint.directory(), name);
    }
}
