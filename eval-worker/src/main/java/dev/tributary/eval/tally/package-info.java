/// Collects the scores of every generation until all its tasks are in, then judges it against the
/// champion. What follows from a record is decided by pure functions of the pool's tally; a Kafka
/// Streams topology applies them.
@NullMarked
package dev.tributary.eval.tally;

import org.jspecify.annotations.NullMarked;
