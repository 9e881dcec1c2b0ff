package dev.tributary.tensors;

import java.util.List;

/// A tensor that is still to be written: its name, element type and shape.
///
/// @param shape the length of every dimension; empty for a single number
public record TensorSpec(String name, Dtype dtype, List<Long> shape) {
    public TensorSpec {
        shape = List.copyOf(shape);
        if (shape.stream().anyMatch(length -> length < 0)) {
            throw new IllegalArgumentException(
                    "tensor '%s': negative length in shape %s".formatted(name, shape));
        }
        sizeOf(dtype, shape);
    }

    /// How many elements the tensor has.
    public long elements() {
        return shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    }

    /// How many bytes the tensor takes.
    public long bytes() {
        return sizeOf(dtype, shape);
    }

    /// The bytes a tensor of this type and shape takes.
    ///
    /// @throws ArithmeticException when that does not fit into 63 bits
    static long sizeOf(Dtype dtype, List<Long> shape) {
        long elements = 1;
        for (long length : shape) {
            elements = Math.multiplyExact(elements, length);
        }
        return Math.multiplyExact(elements, (long) dtype.bytes());
    }
}
