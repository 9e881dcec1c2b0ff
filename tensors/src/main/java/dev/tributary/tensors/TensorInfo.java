package dev.tributary.tensors;

import java.util.List;

/// Where a tensor lies in its file and how to read it.
///
/// @param shape the length of every dimension; empty for a single number
/// @param begin first byte, counted from the start of the file's data section
/// @param end the byte after the last, counted likewise
public record TensorInfo(String name, Dtype dtype, List<Long> shape, long begin, long end) {
    public TensorInfo {
        shape = List.copyOf(shape);
        if (begin < 0 || end - begin != TensorSpec.sizeOf(dtype, shape)) {
            throw new IllegalArgumentException(
                    "tensor '%s': bytes %d to %d do not hold %s of shape %s"
                            .formatted(name, begin, end, dtype, shape));
        }
    }

    /// How many elements the tensor has.
    public long elements() {
        return bytes() / dtype.bytes();
    }

    /// How many bytes the tensor takes.
    public long bytes() {
        return end - begin;
    }

    /// The tensor without its place.
    public TensorSpec spec() {
        return new TensorSpec(name, dtype, shape);
    }
}
