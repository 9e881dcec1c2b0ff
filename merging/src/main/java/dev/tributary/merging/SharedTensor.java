package dev.tributary.merging;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.TensorSpec;
import java.util.List;

/// A tensor that the base and every expert have and that is merged into one.
///
/// @param name its canonical name, the same whatever a file calls it
/// @param outputName its name in the merged file
/// @param group index of its layer group
/// @param outputDtype its element type in the merged file
/// @param baseName its name in the base's files
/// @param baseDtype its element type there
/// @param members its place in each member, in the plan's order of members
public record SharedTensor(
        String name,
        String outputName,
        List<Long> shape,
        int group,
        Dtype outputDtype,
        String baseName,
        Dtype baseDtype,
        List<Source> members) {

    /// A tensor under the name one checkpoint's files give it.
    public record Source(String name, Dtype dtype) {}

    public SharedTensor {
        shape = List.copyOf(shape);
        members = List.copyOf(members);
    }

    /// How many elements it has.
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }

    /// Whether it holds numbers that are merged; others are carried over from the base unchanged.
    public boolean merged() {
        return baseDtype.floating();
    }

    TensorSpec output() {
        return new TensorSpec(outputName, outputDtype, shape);
    }
}
