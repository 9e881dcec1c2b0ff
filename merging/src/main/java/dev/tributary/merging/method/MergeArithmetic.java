package dev.tributary.merging.method;

/// The arithmetic of a method in one merge.
@FunctionalInterface
public interface MergeArithmetic {

    /// Gets ready for one tensor, reading it as often as the method needs. Tensors are asked for
    /// one after the other.
    TensorMerge of(MergeTensor tensor);
}
