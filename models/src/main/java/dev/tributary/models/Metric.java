package dev.tributary.models;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// How well answers agree with the expected ones, as one number; 1 is perfect and more is better.
public sealed interface Metric permits LabelMetric, TextMetric {
    /// Its name in task definitions and events.
    String id();

    /// Those that score a kind of task; what is taken where a task says nothing is first.
    static List<Metric> of(TaskKind kind) {
        return switch (kind) {
            case CLASSIFICATION, IMAGE_CLASSIFICATION -> List.of(LabelMetric.values());
            case GENERATION -> List.of(TextMetric.values());
        };
    }

    /// The metric of this name, if there is one.
    static Optional<Metric> of(String id) {
        return Arrays.stream(TaskKind.values())
                .flatMap(kind -> of(kind).stream())
                .filter(metric -> metric.id().equals(id))
                .findFirst();
    }
}
