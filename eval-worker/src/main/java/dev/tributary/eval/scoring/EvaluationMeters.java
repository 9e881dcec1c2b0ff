package dev.tributary.eval.scoring;

import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.TaskResult.Scored;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;

/// What this worker has scored, as `/q/metrics` shows it.
public final class EvaluationMeters {

    private final MeterRegistry registry;

    public EvaluationMeters(MeterRegistry registry, EvaluationBoard board) {
        this.registry = registry;
        var _ =
                Gauge.builder("tributary.eval.in.progress", board::running)
                        .description("Evaluations that run")
                        .register(registry);
        var _ = timer("scored");
        var _ = timer("failed");
    }

    /// An evaluation has ended after this long.
    void evaluated(TaskResult result, Duration taken) {
        timer(result instanceof Scored ? "scored" : "failed").record(taken);
    }

    /// A request has been set aside.
    void deadLetter(String code) {
        Counter.builder("tributary.eval.dead.letters")
                .description("Requests set aside, by the code of the failure")
                .tag("code", code)
                .register(registry)
                .increment();
    }

    /// Prometheus shows it as `tributary_eval_seconds`.
    private Timer timer(String outcome) {
        return Timer.builder("tributary.eval")
                .description("How long evaluations took")
                .tag("outcome", outcome)
                .register(registry);
    }
}
