package dev.tributary.eval;

import dev.tributary.eval.Dependencies.Need;
import dev.tributary.schemas.RegistryConnection;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.KafkaException;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// Asks broker and registry again and again whether they are there. Work begins when both are and
/// hold what the catalogue says; from then on the answers are for health and log only, as the
/// clients find their own way back.
final class DependencyProbe implements AutoCloseable {

    private static final Logger LOG = Logger.getLogger(DependencyProbe.class);
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private final Dependencies dependencies;
    private final Supplier<Admin> admins;
    private final Map<String, String> registrySettings;
    private final String brokerAddress;
    private final Duration interval;
    private final Runnable begin;
    private final Thread thread =
            Thread.ofPlatform().name("probe").daemon(true).unstarted(this::run);
    private volatile boolean closed;
    private boolean begun;

    DependencyProbe(
            Dependencies dependencies,
            Supplier<Admin> admins,
            Map<String, String> registrySettings,
            String brokerAddress,
            Duration interval,
            Runnable begin) {
        this.dependencies = dependencies;
        this.admins = admins;
        this.registrySettings = registrySettings;
        this.brokerAddress = brokerAddress;
        this.interval = interval;
        this.begin = begin;
    }

    void start() {
        thread.start();
    }

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
    }

    private void run() {
        @Nullable Admin admin = null;
        try (SchemaRegistryClient registry = RegistryConnection.open(registrySettings)) {
            while (!closed) {
                admin = admin == null ? admin() : admin;
                ask(admin, registry);
                Thread.sleep(interval);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (IOException e) {
            LOG.debug("the registry's client did not close", e);
        } finally {
            if (admin != null) {
                admin.close(KafkaClients.CLOSE_TIMEOUT);
            }
        }
    }

    private void ask(@Nullable Admin admin, SchemaRegistryClient registry)
            throws InterruptedException {
        boolean broker = admin != null && brokerAnswers(admin);
        boolean schemas = registryAnswers(registry);
        if (!begun && broker && schemas && admin != null && contractHolds(admin, registry)) {
            begun = begins();
        }
    }

    private boolean begins() {
        try {
            begin.run();
            return true;
        } catch (RuntimeException e) {
            dependencies.missing(Need.STORE, "", "%s: is tributary.store right?".formatted(e));
            return false;
        }
    }

    private @Nullable Admin admin() {
        try {
            return admins.get();
        } catch (KafkaException e) {
            @Nullable Throwable cause = e.getCause();
            brokerMissing(String.valueOf(cause == null ? e : cause));
            return null;
        }
    }

    private boolean brokerAnswers(Admin admin) throws InterruptedException {
        try {
            int brokers =
                    admin.describeCluster()
                            .nodes()
                            .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                            .size();
            dependencies.there(Need.BROKER, "at %s, %d in all".formatted(brokerAddress, brokers));
            return true;
        } catch (TimeoutException e) {
            brokerMissing(
                    "it does not answer, expected an answer within %s: is it running, and is kafka.bootstrap.servers right?"
                            .formatted(PATIENCE));
        } catch (ExecutionException e) {
            brokerMissing(String.valueOf(e.getCause()));
        }
        return false;
    }

    private void brokerMissing(String sentence) {
        dependencies.missing(Need.BROKER, "at " + brokerAddress, sentence);
    }

    private boolean registryAnswers(SchemaRegistryClient registry) {
        String address = registrySettings.getOrDefault(RegistryConnection.URL, "");
        try {
            var _ = registry.getMode();
            dependencies.there(Need.REGISTRY, "at " + address);
            return true;
        } catch (IOException | RestClientException e) {
            dependencies.missing(
                    Need.REGISTRY,
                    "at " + address,
                    "%s: is it running, and is schema.registry.url right?".formatted(e));
            return false;
        }
    }

    private boolean contractHolds(Admin admin, SchemaRegistryClient registry)
            throws InterruptedException {
        try {
            List<String> faults = new ArrayList<>(ContractCheck.faults(admin));
            faults.addAll(ContractCheck.faults(registry));
            if (faults.isEmpty()) {
                dependencies.there(Need.CONTRACT, "as the catalogue of topics has it");
                return true;
            }
            dependencies.missing(Need.CONTRACT, "", String.join("; ", faults));
        } catch (ExecutionException e) {
            brokerMissing(String.valueOf(e.getCause()));
        } catch (IOException e) {
            dependencies.missing(Need.REGISTRY, "", String.valueOf(e.getMessage()));
        }
        return false;
    }
}
