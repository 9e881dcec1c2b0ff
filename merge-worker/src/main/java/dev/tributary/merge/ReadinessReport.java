package dev.tributary.merge;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.Locale;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/// Ready when broker, registry and store are there and hold what they should.
@Readiness
@ApplicationScoped
public class ReadinessReport implements HealthCheck {
    private final MergeWorker worker;

    ReadinessReport(MergeWorker worker) {
        this.worker = worker;
    }

    @Override
    public HealthCheckResponse call() {
        Dependencies dependencies = worker.dependencies();
        HealthCheckResponseBuilder report = HealthCheckResponse.named("merge-worker");
        for (Dependencies.Need need : Dependencies.Need.values()) {
            report.withData(
                    need.name().toLowerCase(Locale.ROOT), dependencies.fault(need).orElse("there"));
        }
        return report.withData("partitions", worker.partitions())
                .status(dependencies.complete())
                .build();
    }
}
