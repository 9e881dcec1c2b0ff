package dev.tributary.merging.method;

import java.lang.foreign.MemorySegment;

/// Thins one expert's task vector out in one tensor. The result must not depend on how the tensor
/// is cut into tiles.
@FunctionalInterface
interface Thinning {
    /// Leaves everything.
    Thinning NONE = (entries, from, count) -> {};

    /// Zeroes some entries of a tile and may scale the rest.
    ///
    /// @param from index of the tile's first entry in the tensor
    void thin(MemorySegment entries, long from, int count);
}
