package dev.tributary.eval.scoring;

import java.nio.file.Path;
import java.time.Duration;

/// How evaluations are carried out.
///
/// @param cache folder for what can be computed again
/// @param maxAttempts how often one is tried in all
/// @param maxCrashes how often one may end the process
/// @param retryFirstDelay how long the wait before the second attempt is at most
/// @param retryMaxDelay how long any wait is at most
public record EvaluationSettings(
        Path cache,
        int maxAttempts,
        int maxCrashes,
        Duration retryFirstDelay,
        Duration retryMaxDelay) {}
