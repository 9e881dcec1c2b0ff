package dev.tributary.merging;

import dev.tributary.merging.method.DescentSettings;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How long a descent goes on, and how far it goes in a step.
///
/// A pool's next generation starts where the last one has come to, and little of it is new: where
/// it starts from coefficients that were learnt, it may go on for a few steps, smaller ones, so
/// that the noise of the first does not drive away what is known.
///
/// @param steps at the latest
/// @param evaluateEvery steps between measurements of the whole loss
/// @param rate what the learning rate is multiplied with
record Pace(int steps, int evaluateEvery, double rate) {
    /// The rate of a descent that knows most already.
    static final double WARM = 0.25;

    /// That of a descent which knows nothing yet.
    static Pace whole(DescentSettings settings) {
        return new Pace(settings.maxSteps(), settings.evaluateEvery(), 1);
    }

    /// @param tasks whose coefficients are learnt
    /// @param previous what was learnt before; null for nothing
    static Pace of(DescentSettings settings, List<String> tasks, @Nullable Coefficients previous) {
        long joined =
                tasks.stream()
                        .filter(task -> previous == null || !previous.tasks().contains(task))
                        .count();
        if (settings.warmSteps() == 0 || 2 * joined > tasks.size()) {
            return whole(settings);
        }
        int wanted = joined > 0 ? settings.warmSteps() : Math.ceilDiv(settings.warmSteps(), 2);
        int steps = Math.min(wanted, settings.maxSteps());
        return new Pace(steps, Math.max(1, steps), WARM);
    }
}
