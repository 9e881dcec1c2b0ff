/// What the scores of a generation say about it: paired statistics and the decisions drawn from
/// them. Pure functions of values: no clock, no Kafka, no files.
@NullMarked
package dev.tributary.eval.verdict;

import org.jspecify.annotations.NullMarked;
