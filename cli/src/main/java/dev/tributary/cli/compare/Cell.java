package dev.tributary.cli.compare;

import java.util.Map;
import java.util.OptionalDouble;
import java.util.SequencedMap;
import java.util.TreeMap;

/// What one candidate made of one subset of tasks with one seed.
///
/// @param retention by task
/// @param seconds the merge alone took, learning included; choosing options not
record Cell(
        String candidate,
        int size,
        long seed,
        Map<String, String> options,
        SequencedMap<String, Retention> retention,
        double seconds) {

    Cell {
        options = new TreeMap<>(options);
    }

    /// The same merge as another candidate's.
    Cell of(String other) {
        return new Cell(other, size, seed, options, retention, seconds);
    }

    /// The mean of the tasks' retentions.
    double anp() {
        return mean(retention.values().stream().mapToDouble(Retention::value).toArray())
                .orElse(Double.NaN);
    }

    private static OptionalDouble mean(double[] values) {
        return java.util.Arrays.stream(values).average();
    }
}
