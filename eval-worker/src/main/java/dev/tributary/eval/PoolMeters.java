package dev.tributary.eval;

import dev.tributary.eval.tally.JudgedGeneration;
import dev.tributary.eval.tally.PoolTally;
import dev.tributary.eval.tally.TallyObserver;
import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.TaskResult.Scored;
import dev.tributary.eval.verdict.Verdict;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/// How the pools this worker looks after stand, as `/q/metrics` shows it. A pool that another
/// worker has taken over is no longer shown here.
final class PoolMeters implements TallyObserver {

    private final MeterRegistry registry;
    private final MultiGauge anp;
    private final MultiGauge retention;
    private final MultiGauge alerts;
    private final MultiGauge champions;
    private final MultiGauge waiting;
    private final Map<String, PoolTally> pools = new TreeMap<>();

    PoolMeters(MeterRegistry registry) {
        this.registry = registry;
        anp = gauge("anp", "Mean retention of the newest judged generation");
        retention = gauge("retention", "Score over the expert's own, newest judged generation");
        alerts = gauge("alerts.firing", "Regression alerts that fire");
        champions = gauge("champion.number", "Number of the generation being served");
        waiting = gauge("generations.open", "Generations without a verdict yet");
        for (Verdict verdict : Verdict.values()) {
            var _ = counter(verdict);
        }
    }

    @Override
    public synchronized void changed(String pool, PoolTally tally) {
        pools.put(pool, tally);
        show();
    }

    @Override
    public synchronized void handedOver(String pool) {
        pools.remove(pool);
        show();
    }

    @Override
    public void judged(String pool, Verdict verdict) {
        counter(verdict).increment();
    }

    private void show() {
        List<MultiGauge.Row<?>> anpRows = new ArrayList<>();
        List<MultiGauge.Row<?>> retentionRows = new ArrayList<>();
        List<MultiGauge.Row<?>> alertRows = new ArrayList<>();
        List<MultiGauge.Row<?>> championRows = new ArrayList<>();
        List<MultiGauge.Row<?>> waitingRows = new ArrayList<>();
        pools.forEach((pool, tally) -> {
            Tags tags = Tags.of("pool", pool);
            alertRows.add(MultiGauge.Row.of(tags, tally.firing().size()));
            waitingRows.add(MultiGauge.Row.of(tags, tally.openGenerations()));
            tally.champion()
                    .ifPresent(champion ->
                            championRows.add(MultiGauge.Row.of(tags, champion.number())));
            tally.newest().ifPresent(newest -> newest(newest, tags, anpRows, retentionRows));
        });
        anp.register(anpRows, true);
        retention.register(retentionRows, true);
        alerts.register(alertRows, true);
        champions.register(championRows, true);
        waiting.register(waitingRows, true);
    }

    private static void newest(
            JudgedGeneration newest,
            Tags pool,
            List<MultiGauge.Row<?>> anpRows,
            List<MultiGauge.Row<?>> retentionRows) {
        newest.anp().ifPresent(value -> anpRows.add(MultiGauge.Row.of(pool, value)));
        for (TaskResult result : newest.results()) {
            if (result instanceof Scored scored) {
                scored.retention()
                        .ifPresent(value ->
                                retentionRows.add(
                                        MultiGauge.Row.of(pool.and("task", result.task()), value)));
            }
        }
    }

    private MultiGauge gauge(String name, String description) {
        return MultiGauge.builder("tributary.eval." + name)
                .description(description)
                .register(registry);
    }

    private Counter counter(Verdict verdict) {
        return Counter.builder("tributary.eval.verdicts")
                .description("Generations judged, by verdict")
                .tag("verdict", verdict.name().toLowerCase(Locale.ROOT))
                .register(registry);
    }
}
