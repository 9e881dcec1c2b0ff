package dev.tributary.merging;

import dev.tributary.tensors.Dtype;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// One statistic of one expert, for the tensors that share it.
///
/// @param names canonical names of these tensors
/// @param count over how many tokens, texts or examples it was taken
/// @param values F32 or F64
/// @param factor what the values are multiplied by when they are read
record SummedTensor(
        List<String> names,
        List<Long> shape,
        long count,
        Dtype dtype,
        MemorySegment values,
        double factor) {

    SummedTensor {
        names = List.copyOf(names);
        shape = List.copyOf(shape);
    }

    long elements() {
        return shape.stream().reduce(1L, Math::multiplyExact);
    }
}
