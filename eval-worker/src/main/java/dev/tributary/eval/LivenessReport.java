package dev.tributary.eval;

import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;

/// Alive while the broker is polled; a worker that only waits for the broker is alive, too.
@Liveness
@ApplicationScoped
public class LivenessReport implements HealthCheck {

    private static final Duration HUNG = Duration.ofMinutes(3);

    private final EvalWorker worker;

    LivenessReport(EvalWorker worker) {
        this.worker = worker;
    }

    @Override
    public HealthCheckResponse call() {
        Duration since = worker.sincePoll();
        return HealthCheckResponse.named("polling")
                .withData("secondsSincePoll", since.toSeconds())
                .status(since.compareTo(HUNG) < 0)
                .build();
    }
}
