package dev.tributary.merging;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.TensorSpec;
import java.util.List;

/// A tensor that stays with one task: its classifier, and what else the base lacks.
///
/// @param name its canonical name
/// @param outputName its name in the task's own file
/// @param sourceName its name in the expert's files
/// @param dtype its element type, there and here
public record TaskTensor(
        String name, String outputName, String sourceName, Dtype dtype, List<Long> shape) {

    public TaskTensor {
        shape = List.copyOf(shape);
    }

    TensorSpec output() {
        return new TensorSpec(outputName, dtype, shape);
    }
}
