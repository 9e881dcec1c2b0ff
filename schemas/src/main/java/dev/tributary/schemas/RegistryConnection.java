package dev.tributary.schemas;

import io.confluent.kafka.schemaregistry.avro.AvroSchemaProvider;
import io.confluent.kafka.schemaregistry.client.CachedSchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.config.ConfigException;
import org.jspecify.annotations.Nullable;

/// How programs reach the schema registry: Confluent's client under Confluent's configuration keys
/// (`schema.registry.url`, `basic.auth.credentials.source`, `schema.registry.ssl.…` and so on).
public final class RegistryConnection {

    /// One or several addresses, separated by commas.
    public static final String URL = "schema.registry.url";

    private static final int CACHED_SCHEMAS_PER_SUBJECT = 1000;

    /// How long a request waits for a registry that took it and says nothing, in milliseconds.
    /// Confluent's own default, a minute, is longer than whoever asks here would wait.
    private static final Map<String, Integer> PATIENCE =
            Map.of("http.connect.timeout.ms", 5_000, "http.read.timeout.ms", 15_000);

    private RegistryConnection() {}

    /// A client for the registry a configuration names. The caller closes it. Opening it does not
    /// talk to the registry yet.
    public static SchemaRegistryClient open(Map<String, ?> configuration) {
        return new CachedSchemaRegistryClient(
                addresses(configuration),
                CACHED_SCHEMAS_PER_SUBJECT,
                List.of(new AvroSchemaProvider()),
                patient(configuration));
    }

    private static Map<String, Object> patient(Map<String, ?> configuration) {
        Map<String, Object> settings = new HashMap<>(PATIENCE);
        settings.putAll(configuration);
        return settings;
    }

    static void close(@Nullable SchemaRegistryClient client) {
        if (client != null) {
            try {
                client.close();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static List<String> addresses(Map<String, ?> configuration) {
        Object value = configuration.get(URL);
        List<String> addresses =
                switch (value) {
                    case null -> List.of();
                    case List<?> list -> list.stream().map(String::valueOf).toList();
                    default -> Arrays.asList(value.toString().split(","));
                };
        List<String> stated =
                addresses.stream().map(String::strip).filter(url -> !url.isEmpty()).toList();
        if (stated.isEmpty()) {
            throw new ConfigException(
                    "[%s] is not set, expected the address of the schema registry: set it to http://host:port/path of its Confluent-compatible API"
                            .formatted(URL));
        }
        return stated;
    }
}
