package dev.tributary.merge;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.function.Supplier;

/// What this worker has done and has to do, as `/q/metrics` shows it.
final class MergeMeters {
    private final MeterRegistry registry;

    MergeMeters(MeterRegistry registry) {
        this.registry = registry;
        var _ = generations("merged");
        var _ = generations("reused");
        var _ = generations("failed");
        var _ = timer();
    }

    /// Shows what changes all the time.
    ///
    /// @param backlogEvents events without an answer in this worker's partitions
    /// @param backlogMerges pools whose newest wish has not been merged yet
    /// @param inProgress merges that run
    void watch(
            Supplier<Number> backlogEvents,
            Supplier<Number> backlogMerges,
            Supplier<Number> inProgress) {
        var _ =
                Gauge.builder("tributary.merge.backlog.events", backlogEvents)
                        .description("Events without an answer in this worker's partitions")
                        .register(registry);
        var _ =
                Gauge.builder("tributary.merge.backlog.merges", backlogMerges)
                        .description("Pools whose newest wish has not been merged yet")
                        .register(registry);
        var _ =
                Gauge.builder(
                                "tributary.merge.backlog.seconds",
                                () ->
                                        backlogMerges.get().doubleValue()
                                                * timer().mean(
                                                                java.util.concurrent.TimeUnit
                                                                        .SECONDS))
                        .description("The same as time, at this worker's mean time for a merge")
                        .register(registry);
        var _ =
                Gauge.builder("tributary.merge.in.progress", inProgress)
                        .description("Merges that run")
                        .register(registry);
    }

    /// A generation has been published.
    void published(MergedGeneration generation) {
        generations(generation.reused() ? "reused" : "merged").increment();
    }

    /// A merge has been given up.
    void failed() {
        generations("failed").increment();
    }

    /// A merge has ended well after this long.
    void merged(Duration duration) {
        timer().record(duration);
    }

    /// A record has been set aside.
    void deadLetter(String code) {
        Counter.builder("tributary.merge.dead.letters")
                .description("Records set aside, by the code of the failure")
                .tag("code", code)
                .register(registry)
                .increment();
    }

    private Counter generations(String outcome) {
        return Counter.builder("tributary.merge.generations")
                .description("Generations by how they came about")
                .tag("outcome", outcome)
                .register(registry);
    }

    private Timer timer() {
        return Timer.builder("tributary.merge")
                .description("How long merges took that computed something")
                .register(registry);
    }
}
