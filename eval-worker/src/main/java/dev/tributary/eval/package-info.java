/// The eval-worker: scores every generation on every task, compares it with the generation being
/// served, and says whether it is promoted, inconclusive or a regression.
@NullMarked
package dev.tributary.eval;

import org.jspecify.annotations.NullMarked;
