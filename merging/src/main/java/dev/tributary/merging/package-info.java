/// How several checkpoints become one: the methods, the plan that refuses what cannot be merged,
/// the streaming executor, DivMerge's optimiser, and the directory a generation is published as.
@NullMarked
package dev.tributary.merging;

import org.jspecify.annotations.NullMarked;
