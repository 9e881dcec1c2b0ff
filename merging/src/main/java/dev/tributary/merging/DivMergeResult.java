package dev.tributary.merging;

import java.util.Collection;
import java.util.List;
import java.util.SequencedMap;

/// What an optimisation of coefficients came to.
///
/// @param start where it started
/// @param coefficients the best it saw, by the loss over all calibration items
/// @param lossBefore by task, at the start, in nats
/// @param lossAfter by task, at the best
/// @param history the loss wherever it was measured over all items
/// @param steps optimiser steps taken
/// @param passes inputs that went through the merged model forwards; backwards counts as two more
public record DivMergeResult(
        Coefficients start,
        Coefficients coefficients,
        SequencedMap<String, Double> lossBefore,
        SequencedMap<String, Double> lossAfter,
        List<LossPoint> history,
        int steps,
        long passes) {

    public DivMergeResult {
        history = List.copyOf(history);
    }

    /// The mean over tasks at the start.
    public double meanBefore() {
        return mean(lossBefore.values());
    }

    /// The mean over tasks at the best.
    public double meanAfter() {
        return mean(lossAfter.values());
    }

    /// The mean of tasks' losses, to the last digit the same wherever it is taken.
    static double mean(Collection<Double> losses) {
        return losses.stream().mapToDouble(Double::doubleValue).average().orElseThrow();
    }
}
