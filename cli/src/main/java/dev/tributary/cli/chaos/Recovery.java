package dev.tributary.cli.chaos;

import java.util.ArrayList;
import java.util.List;

/// How long it took, after each round of faults, from the last fault until everything sent was
/// answered and every generation judged.
final class Recovery {
    private final List<Double> seconds = new ArrayList<>();

    void add(double ofRound) {
        seconds.add(ofRound);
    }

    int rounds() {
        return seconds.size();
    }

    /// The time that this share of the rounds does not exceed; 0 without rounds.
    double quantile(double share) {
        List<Double> sorted = seconds.stream().sorted().toList();
        if (sorted.isEmpty()) {
            return 0;
        }
        int rank = (int) Math.ceil(share * sorted.size());
        return sorted.get(Math.clamp(rank - 1L, 0, sorted.size() - 1));
    }
}
