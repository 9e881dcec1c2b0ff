package dev.tributary.merging;

import dev.tributary.models.HeldStretch;
import dev.tributary.tensors.Dtype;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// One statistic of one expert, for the tensors that share it.
///
/// @param names canonical names of these tensors
/// @param shape of the whole statistic
/// @param held which stretches of it there are values of; the rest is zero
/// @param count over how many tokens, texts or examples it was taken
/// @param dtype F32 or F64
/// @param factor what the values are multiplied by when they are kept
record SummedTensor(
        List<String> names,
        List<Long> shape,
        List<HeldStretch> held,
        long count,
        Dtype dtype,
        MemorySegment values,
        double factor) {

    SummedTensor {
        names = List.copyOf(names);
        shape = List.copyOf(shape);
        held = List.copyOf(held);
    }

    /// All of a statistic.
    SummedTensor(
            List<String> names, List<Long> shape, long count, Dtype dtype, MemorySegment values) {
        this(
                names,
                shape,
                List.of(new HeldStretch(0, 0, values.byteSize() / dtype.bytes())),
                count,
                dtype,
                values,
                1);
    }

    /// How many values there are in memory.
    long heldElements() {
        return values.byteSize() / dtype.bytes();
    }

    long elements() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }
}
