package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.RegressionAlert;
import dev.tributary.stack.LocalRegistry;
import dev.tributary.stack.LocalStack;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.avro.Schema;
import org.apache.avro.SchemaBuilder;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(RealStack.class)
class SchemaRegistrarIT {

    private final LocalStack stack;

    SchemaRegistrarIT(LocalStack stack) {
        this.stack = stack;
    }

    @Test
    void registeringAgainChangesNothing() throws Exception {
        try (SchemaRegistryClient registry = registry()) {
            SchemaRegistrar registrar = new SchemaRegistrar(registry);
            Map<Topic, Integer> ids = registrar.register(List.of(Topic.values()));

            assertThat(ids.keySet()).containsExactlyElementsOf(Topic.ofEvents());
            assertThat(registrar.register(List.of(Topic.values()))).isEqualTo(ids);
            assertThat(registry.getAllVersions(Topic.POOL_EVENTS.subject())).containsExactly(1);
        }
    }

    @Test
    void theRegistryIsToldToKeepEveryVersionReadable() throws Exception {
        try (SchemaRegistryClient registry = registry()) {
            assertThat(registry.getCompatibility(null)).isEqualTo("FULL_TRANSITIVE");
            for (Topic topic : Topic.ofEvents()) {
                assertThat(registry.getCompatibility(topic.subject())).isEqualTo("FULL_TRANSITIVE");
            }
        }
    }

    @Test
    void aFieldThatOldEventsLackIsRefusedWithStatus409() throws Exception {
        Schema broken = withField(RegressionAlert.getClassSchema(), "colour", null);

        try (SchemaRegistryClient registry = registry()) {
            assertThatThrownBy(
                            () -> registry.register(Topic.ALERTS.subject(), new AvroSchema(broken)))
                    .isInstanceOfSatisfying(
                            RestClientException.class,
                            e -> assertThat(e.getStatus()).isEqualTo(409));
        }
    }

    /// Old programs could not read the new record: a new kind of event gets a topic of its own.
    @Test
    void aTopicCannotGainAKindOfEvent() throws Exception {
        List<Schema> kinds = new ArrayList<>(Topic.POOL_EVENTS.schema().registered().getTypes());
        kinds.add(SchemaBuilder.record("PoolPainted").fields().requiredString("pool").endRecord());

        try (SchemaRegistryClient registry = registry()) {
            assertThat(
                            registry.testCompatibility(
                                    Topic.POOL_EVENTS.subject(),
                                    new AvroSchema(Schema.createUnion(kinds))))
                    .isFalse();
        }
    }

    @Test
    void aRegistryThatHoldsAnotherContractIsRefusedWithEveryFault(@TempDir Path folder)
            throws Exception {
        try (LocalRegistry other = LocalRegistry.in(folder).start();
                SchemaRegistryClient registry =
                        RegistryConnection.open(Map.of(RegistryConnection.URL, other.url()))) {
            Schema foreign = withField(PoolConfigured.getClassSchema(), "colour", null);
            registry.register(Topic.PROMOTIONS.subject(), new AvroSchema(foreign));
            registry.register(Topic.ALERTS.subject(), new AvroSchema(foreign));

            assertThatThrownBy(() -> new SchemaRegistrar(registry).register(Topic.ofEvents()))
                    .isInstanceOfSatisfying(
                            ContractBrokenException.class, e -> assertThat(e.faults()).hasSize(2))
                    .hasMessageContaining("[tributary.promotions-value] the registry holds")
                    .hasMessageContaining("[tributary.alerts-value] the registry holds");
        }
    }

    @Test
    void severalProgramsMayRegisterAtTheSameTime(@TempDir Path folder) throws Exception {
        try (LocalRegistry fresh = LocalRegistry.in(folder).start();
                ExecutorService programs = Executors.newVirtualThreadPerTaskExecutor()) {
            Callable<Map<Topic, Integer>> program =
                    () -> {
                        try (SchemaRegistryClient registry =
                                RegistryConnection.open(
                                        Map.of(RegistryConnection.URL, fresh.url()))) {
                            return new SchemaRegistrar(registry).register(Topic.ofEvents());
                        }
                    };

            List<Future<Map<Topic, Integer>>> results =
                    programs.invokeAll(Collections.nCopies(6, program));

            assertThat(results).extracting(Future::get).containsOnly(results.getFirst().get());
        }
    }

    @Test
    void aRequestThatIsNeverAnsweredIsSentAgain() throws Exception {
        try (SilentAtFirst relay = new SilentAtFirst(stack.registryUrl());
                SchemaRegistryClient registry =
                        RegistryConnection.open(
                                Map.of(
                                        RegistryConnection.URL,
                                        relay.url(),
                                        "http.read.timeout.ms",
                                        300))) {
            assertThat(new SchemaRegistrar(registry).register(List.of(Topic.ALERTS)))
                    .containsOnlyKeys(Topic.ALERTS);
            assertThat(relay.unanswered()).isEqualTo(2);
        }
    }

    /// Stands before the registry and leaves the first two requests unanswered.
    private static final class SilentAtFirst implements AutoCloseable {
        private final HttpServer front;
        private final HttpClient behind = HttpClient.newHttpClient();
        private final AtomicInteger left = new AtomicInteger(2);
        private final AtomicInteger unanswered = new AtomicInteger();
        private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        private final URI registry;

        SilentAtFirst(String registry) throws IOException {
            this.registry = URI.create(registry);
            front =
                    HttpServer.create(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 8);
            front.setExecutor(threads);
            front.createContext("/", this::answer);
            front.start();
        }

        String url() {
            return "http://127.0.0.1:" + front.getAddress().getPort() + registry.getPath();
        }

        int unanswered() {
            return unanswered.get();
        }

        private void answer(HttpExchange exchange) throws IOException {
            if (left.getAndDecrement() > 0) {
                unanswered.incrementAndGet();
                return;
            }
            try {
                HttpResponse<byte[]> response =
                        behind.send(
                                HttpRequest.newBuilder(registry.resolve(exchange.getRequestURI()))
                                        .header("Content-Type", "application/json")
                                        .method(
                                                exchange.getRequestMethod(),
                                                HttpRequest.BodyPublishers.ofByteArray(
                                                        exchange.getRequestBody().readAllBytes()))
                                        .build(),
                                HttpResponse.BodyHandlers.ofByteArray());
                exchange.getResponseHeaders().add("Content-Type", "application/json");
                exchange.sendResponseHeaders(response.statusCode(), response.body().length);
                exchange.getResponseBody().write(response.body());
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                exchange.close();
            }
        }

        @Override
        public void close() {
            front.stop(0);
            threads.shutdownNow();
            behind.close();
        }
    }

    /// The record with one more string field, with or without a default.
    static Schema withField(
            Schema record, String name, @org.jspecify.annotations.Nullable String defaultValue) {
        List<Schema.Field> fields = new ArrayList<>();
        record.getFields().forEach(field -> fields.add(new Schema.Field(field, field.schema())));
        Schema string = Schema.create(Schema.Type.STRING);
        fields.add(
                defaultValue == null
                        ? new Schema.Field(name, string, null)
                        : new Schema.Field(name, string, null, defaultValue));
        return TopicSchema.withoutJavaHints(
                Schema.createRecord(
                        record.getName(), record.getDoc(), record.getNamespace(), false, fields));
    }

    private SchemaRegistryClient registry() {
        return RegistryConnection.open(stack.clientSettings());
    }
}
