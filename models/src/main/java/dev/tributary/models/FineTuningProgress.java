package dev.tributary.models;

import java.time.Duration;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/// How far a fine-tuning run has come.
///
/// @param epoch counted from 1
/// @param step counted from 1 over all epochs
/// @param steps of the whole run, if it does not stop early
/// @param loss mean over the last steps
/// @param validation the validation score where this step ended an epoch
/// @param tokensPerSecond padding included, over the run so far
/// @param remaining estimate
public record FineTuningProgress(
        int epoch,
        int step,
        int steps,
        double loss,
        OptionalDouble validation,
        double tokensPerSecond,
        Duration remaining) {

    /// Tells nobody.
    public static final Consumer<FineTuningProgress> SILENT = _ -> {};
}
