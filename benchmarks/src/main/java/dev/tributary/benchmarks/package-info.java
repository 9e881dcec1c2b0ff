/// Timings of the kernels with JMH, by hand: `benchmarks/kernels.sh`.
@NullMarked
package dev.tributary.benchmarks;

import org.jspecify.annotations.NullMarked;
