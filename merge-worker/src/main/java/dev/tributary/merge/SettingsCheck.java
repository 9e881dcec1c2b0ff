package dev.tributary.merge;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Finds settings this program cannot work with, all of them at once.
final class SettingsCheck {
    private static final Duration LONGEST_DRAIN = Duration.ofDays(1);

    private SettingsCheck() {}

    /// What is wrong, a sentence each; empty when nothing is.
    static List<String> faults(MergeConfig config) {
        List<String> faults = new ArrayList<>();
        MergeConfig.Merge merge = config.merge();
        atLeast(faults, "tributary.threads", config.threads().orElse(1), 1);
        atLeast(faults, "tributary.merge.concurrent", merge.concurrent(), 1);
        atLeast(faults, "tributary.merge.max-attempts", merge.maxAttempts(), 1);
        atLeast(faults, "tributary.merge.max-crashes", merge.maxCrashes(), 1);
        atLeast(faults, "tributary.merge.max-waiting-records", merge.maxWaitingRecords(), 1);
        positive(faults, "tributary.merge.retry-first-delay", merge.retryFirstDelay());
        positive(faults, "tributary.merge.retry-max-delay", merge.retryMaxDelay());
        positive(faults, "tributary.merge.probe-interval", merge.probeInterval());
        if (merge.drain().isNegative() || merge.drain().compareTo(LONGEST_DRAIN) > 0) {
            faults.add(
                    "[tributary.merge.drain] is %s, expected a duration of at most %s"
                            .formatted(merge.drain(), LONGEST_DRAIN));
        }
        return faults;
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
