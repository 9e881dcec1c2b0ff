package dev.tributary.merge;

import dev.tributary.tensors.Progress;
import org.jspecify.annotations.Nullable;

/// Makes a wish come true.
@FunctionalInterface
interface GenerationMaker {
    /// Merges, or finds what has been merged before.
    ///
    /// @param last the pool's last generation, to start from; null for its first
    MergedGeneration make(Wish wish, @Nullable LastGeneration last, Progress progress);
}
