package dev.tributary.merging;

import dev.tributary.merging.method.Setting;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.TensorSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A tensor that the base and every expert have and that is merged into one.
///
/// @param name its canonical name, the same whatever a file calls it
/// @param outputName its name in the merged file
/// @param group index of the group with whose coefficient it is merged; negative for a tensor that
///   has none
/// @param outputDtype its element type in the merged file
/// @param baseName its name in the base's files
/// @param baseDtype its element type there
/// @param members its place in the members
/// @param kept whether the base's values are kept as they are
/// @param standIn the member whose tensor stands for the base's, for layers the base lacks; none
///   where negative
/// @param alignment where its rows lie in every model; empty where all have the same
public record SharedTensor(
        String name,
        String outputName,
        List<Long> shape,
        int group,
        Dtype outputDtype,
        String baseName,
        Dtype baseDtype,
        List<Source> members,
        boolean kept,
        int standIn,
        Optional<RowAlignment> alignment) {

    /// A tensor under the name one checkpoint's files give it.
    ///
    /// @param member the checkpoint's place among the plan's members
    /// @param settings parameters of this place alone; empty for the member's own
    public record Source(
            int member, String name, Dtype dtype, Optional<Map<String, Setting>> settings) {

        /// With the member's own parameters.
        public Source(int member, String name, Dtype dtype) {
            this(member, name, dtype, Optional.empty());
        }
    }

    public SharedTensor {
        shape = List.copyOf(shape);
        members = List.copyOf(members);
    }

    /// A tensor whose rows are the same in all models.
    public SharedTensor(
            String name,
            String outputName,
            List<Long> shape,
            int group,
            Dtype outputDtype,
            String baseName,
            Dtype baseDtype,
            List<Source> members,
            boolean kept,
            int standIn) {
        this(
                name,
                outputName,
                shape,
                group,
                outputDtype,
                baseName,
                baseDtype,
                members,
                kept,
                standIn,
                Optional.empty());
    }

    /// How many elements it has.
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }

    /// Whether it holds numbers that are merged; others are carried over from the base unchanged.
    public boolean merged() {
        return baseDtype.floating() && !kept;
    }

    TensorSpec output() {
        return new TensorSpec(outputName, outputDtype, shape);
    }
}
