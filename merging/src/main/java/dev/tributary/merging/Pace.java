package dev.tributary.merging;

import dev.tributary.merging.method.DescentSettings;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How long a descent goes on, and how far each coefficient may go in a step of it.
///
/// A pool's next generation starts where the last one has come to, and little of it is new: where
/// it starts from coefficients that were learnt, it goes on for a few steps, and those that are
/// known move less than those of a task that has joined, so that they are not driven away by the
/// noise of the first steps.
///
/// @param steps at the latest
/// @param evaluateEvery steps between measurements of the whole loss
/// @param rates what each coefficient's step is multiplied with
record Pace(int steps, int evaluateEvery, List<Double> rates) {
    /// What a coefficient that is known moves, compared with one that is not.
    static final double SETTLED = 0.3;

    Pace {
        rates = List.copyOf(rates);
    }

    /// That of a descent which knows nothing yet.
    static Pace whole(DescentSettings settings) {
        return new Pace(settings.maxSteps(), settings.evaluateEvery(), List.of());
    }

    /// @param start where it starts
    /// @param previous what was learnt before; null for nothing
    static Pace of(DescentSettings settings, Coefficients start, @Nullable Coefficients previous) {
        int size = start.values().size();
        int each = size / start.tasks().size();
        double[] rates = new double[size];
        Arrays.fill(rates, 1);
        int joined = 0;
        for (int t = 0; t < start.tasks().size(); t++) {
            if (previous != null && previous.tasks().contains(start.tasks().get(t))) {
                Arrays.fill(rates, t * each, (t + 1) * each, SETTLED);
            } else {
                joined++;
            }
        }
        if (settings.warmSteps() == 0 || 2 * joined > start.tasks().size()) {
            return whole(settings);
        }
        int steps = joined > 0 ? settings.warmSteps() : Math.ceilDiv(settings.warmSteps(), 2);
        steps = Math.min(steps, settings.maxSteps());
        return new Pace(steps, Math.max(1, steps), Arrays.stream(rates).boxed().toList());
    }

    double rate(int coefficient) {
        return rates.isEmpty() ? 1 : rates.get(coefficient);
    }
}
