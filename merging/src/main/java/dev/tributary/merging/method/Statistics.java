package dev.tributary.merging.method;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/// What was gathered from running models, by tensor and expert.
public interface Statistics {

    /// The fp32 values of one statistic; empty where the tensor has none of the kind, such as an
    /// embedding without a Gram matrix.
    ///
    /// @param expert its place among [MergeInputs#tasks]
    Optional<MemorySegment> of(Statistic statistic, int expert, MergeTensor tensor);

    /// Over how many tokens, texts or examples the expert's values of a tensor were taken; 0 where
    /// it has none.
    long count(Statistic statistic, int expert, MergeTensor tensor);
}
