package dev.tributary.eval;

import dev.tributary.eval.Dependencies.Need;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Locale;
import org.apache.kafka.streams.KafkaStreams;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Readiness;

/// Ready when everything needed is there and the stream runs; says what is missing otherwise.
@Readiness
@ApplicationScoped
public class ReadinessReport implements HealthCheck {

    private final EvalWorker worker;

    ReadinessReport(EvalWorker worker) {
        this.worker = worker;
    }

    @Override
    public HealthCheckResponse call() {
        HealthCheckResponseBuilder report = HealthCheckResponse.named("working");
        for (Need need : Need.values()) {
            report.withData(need.text(), worker.dependencies().fault(need).orElse("there"));
        }
        KafkaStreams.State stream = worker.streamState();
        return report.withData("stream", stream.name().toLowerCase(Locale.ROOT))
                .withData("partitions", worker.partitions())
                .status(worker.dependencies().complete() && stream.isRunningOrRebalancing())
                .build();
    }
}
