package dev.tributary.schemas;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.events.PoolConfigured;
import dev.tributary.events.RegressionAlert;
import dev.tributary.stack.LocalRegistry;
import dev.tributary.stack.LocalStack;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
