package dev.tributary.cli;

import dev.tributary.events.AlertState;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PoolUpdated;
import dev.tributary.events.RegressionAlert;
import dev.tributary.schemas.Topic;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Where one pool stands: its state, the newest verdict, the champion, alerts that fire, and what
/// was set aside.
public final class PoolStatus {
    final String pool;
    @Nullable PoolUpdated state;
    @Nullable GenerationEvaluated evaluated;
    @Nullable GenerationPromoted champion;
    final SequencedMap<String, RegressionAlert> alerts = new LinkedHashMap<>();
    final List<DeadLetter> deadLetters = new ArrayList<>();

    private PoolStatus(String pool) {
        this.pool = pool;
    }

    /// The status of every pool, by name.
    public static Map<String, PoolStatus> readAll(EventLog log) {
        Map<String, PoolStatus> pools = new TreeMap<>();
        var topics =
                List.of(
                        Topic.POOL_STATES,
                        Topic.EVALUATIONS,
                        Topic.PROMOTIONS,
                        Topic.ALERTS,
                        Topic.DEAD_LETTERS);
        for (var record : log.read(topics, _ -> true)) {
            if (record.key() == null) {
                continue;
            }
            PoolStatus status = pools.computeIfAbsent(record.key(), PoolStatus::new);
            switch (record.value()) {
                case PoolUpdated updated -> status.state = updated;
                case GenerationEvaluated evaluated -> status.evaluated = evaluated;
                case GenerationPromoted promoted -> status.champion = promoted;
                case RegressionAlert alert -> status.alerts.put(alert.getAlertId(), alert);
                case DeadLetter letter -> status.deadLetters.add(letter);
                default -> {}
            }
        }
        return pools;
    }

    /// The alerts that fire now.
    List<RegressionAlert> firing() {
        return alerts.values().stream()
                .filter(alert -> alert.getState() == AlertState.FIRING)
                .toList();
    }
}
