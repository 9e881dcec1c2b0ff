package dev.tributary.eval;

import dev.tributary.eval.verdict.RegressionPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Finds settings this program cannot work with, all of them at once.
final class SettingsCheck {

    private static final Duration LONGEST_DRAIN = Duration.ofDays(1);

    private SettingsCheck() {}

    /// What is wrong, a sentence each; empty when nothing is.
    static List<String> faults(EvalConfig config) {
        List<String> faults = new ArrayList<>();
        EvalConfig.Eval eval = config.eval();
        atLeast(faults, "tributary.threads", config.threads().orElse(1), 1);
        atLeast(faults, "tributary.eval.max-attempts", eval.maxAttempts(), 1);
        atLeast(faults, "tributary.eval.max-crashes", eval.maxCrashes(), 1);
        positive(faults, "tributary.eval.retry-first-delay", eval.retryFirstDelay());
        positive(faults, "tributary.eval.retry-max-delay", eval.retryMaxDelay());
        positive(faults, "tributary.eval.probe-interval", eval.probeInterval());
        if (eval.drain().isNegative() || eval.drain().compareTo(LONGEST_DRAIN) > 0) {
            faults.add(
                    "[tributary.eval.drain] is %s, expected a duration of at most %s"
                            .formatted(eval.drain(), LONGEST_DRAIN));
        }
        try {
            var _ = policy(config);
        } catch (IllegalArgumentException e) {
            faults.add(String.valueOf(e.getMessage()));
        }
        return faults;
    }

    /// @throws IllegalArgumentException when the numbers make no policy
    static RegressionPolicy policy(EvalConfig config) {
        EvalConfig.Eval eval = config.eval();
        return new RegressionPolicy(
                eval.significanceLevel(), eval.toleratedDrop(), eval.largestDetectableDrop());
    }

    private static void atLeast(List<String> faults, String name, int value, int least) {
        if (value < least) {
            faults.add("[%s] is %d, expected at least %d".formatted(name, value, least));
        }
    }

    private static void positive(List<String> faults, String name, Duration value) {
        if (!value.isPositive()) {
            faults.add("[%s] is %s, expected more than zero".formatted(name, value));
        }
    }
}
