/// Scores one generation on one task: reads requests one at a time, runs the merged model and the
/// expert over the task's validation items, and answers with what came of it.
@NullMarked
package dev.tributary.eval.scoring;

import org.jspecify.annotations.NullMarked;
