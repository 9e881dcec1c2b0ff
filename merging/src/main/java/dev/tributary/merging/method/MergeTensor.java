package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.regex.Pattern;

/// What a method may see of one tensor: its place in the model, and its values in the base and in
/// every expert.
///
/// @param name what filters and globs are compared with: its name in the base's files
/// @param depth how deep in the model it lies, 0 for what comes before the layers, 1 after them
/// @param group index of the group with whose coefficient it is merged
/// @param experts in the order of [MergeInputs#tasks]
public record MergeTensor(
        String name, List<Long> shape, double depth, int group, Stored base, List<Expert> experts) {
    /// Tables of rows that are looked up, and heads over a vocabulary: no linear maps between
    /// hidden states, and far too large for a decomposition.
    private static final Pattern TABLE =
            Pattern.compile(
                    "embed|(^|\\.)(wte|wpe|shared)\\.|lm_head|relative_attention_bias|classifier");

    /// Values of one checkpoint.
    public interface Stored {
        /// How they are stored.
        Dtype dtype();

        /// How many bytes have to be read for all of them.
        long bytes();

        /// A stretch of the values, until the same thread asks for another one.
        MemorySegment slice(long from, long count);
    }

    /// Values in a mapped file.
    public record Mapped(Dtype dtype, MemorySegment data) implements Stored {
        @Override
        public long bytes() {
            return data.byteSize();
        }

        @Override
        public MemorySegment slice(long from, long count) {
            return data.asSlice(from * dtype.bytes(), count * dtype.bytes());
        }
    }

    /// The tensor in one expert.
    ///
    /// @param task the expert's task, its identity within a merge
    /// @param settings parameters stated for this expert alone, by name
    public record Expert(String task, Stored stored, Map<String, Setting> settings) {}

    public MergeTensor {
        shape = List.copyOf(shape);
        experts = List.copyOf(experts);
    }

    /// How many elements it has.
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }

    /// Elements in a row; one row for tensors of one dimension.
    public long columns() {
        return shape.isEmpty() ? 1 : shape.getLast();
    }

    /// Whether it is the matrix of a linear layer: two dimensions, and no table of embeddings.
    public boolean linear() {
        return shape.size() == 2 && !TABLE.matcher(name).find();
    }

    /// What a setting comes to here.
    public double value(Setting setting) {
        return setting.at(name, depth)
                .orElseThrow(() -> new IllegalStateException("no value for " + name));
    }

    /// What a parameter comes to here for one expert: its own if it states one, else the method's.
    public double value(int expert, Option<Setting> option, Setting ofMethod) {
        Setting own = experts.get(expert).settings().get(option.name());
        if (own != null) {
            OptionalDouble value = own.at(name, depth);
            if (value.isPresent()) {
                return value.getAsDouble();
            }
        }
        return value(ofMethod);
    }

    /// The experts' weights here, 1 where none is stated.
    public double[] weights() {
        double[] weights = new double[experts.size()];
        for (int e = 0; e < weights.length; e++) {
            weights[e] = value(e, Option.WEIGHT, Setting.ONE);
        }
        return weights;
    }
}
