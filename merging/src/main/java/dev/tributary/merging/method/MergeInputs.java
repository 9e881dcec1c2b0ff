package dev.tributary.merging.method;

import java.util.List;

/// Everything a method may see of a merge.
public interface MergeInputs {

    /// The tasks of the experts, sorted: the order of [MergeTensor#experts].
    List<String> tasks();

    /// The tensors that are merged, in the order in which they are asked for.
    List<MergeTensor> tensors();

    /// Threads for passes over tensors before the merge.
    Workers workers();

    /// What was gathered from running models.
    ///
    /// @throws IllegalStateException when the method asked for none
    Statistics statistics();

    /// The coefficient that was learnt for one expert's task vector in one tensor.
    ///
    /// @throws IllegalStateException when none were learnt
    double coefficient(int expert, MergeTensor tensor);
}
