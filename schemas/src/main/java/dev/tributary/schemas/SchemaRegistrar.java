package dev.tributary.schemas;

import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Registers the value schema of every topic, so that programs only ever look schemas up. The
/// registry is told first to accept nothing that some released version could not read, in either
/// direction: history is replayed by new programs, and old programs meet new events while a fleet
/// is being updated.
public final class SchemaRegistrar {

    /// Every version can read every other, whichever is older.
    public static final String COMPATIBILITY = "FULL_TRANSITIVE";

    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;

    private final SchemaRegistryClient registry;

    /// @param registry stays the caller's to close
    public SchemaRegistrar(SchemaRegistryClient registry) {
        this.registry = registry;
    }

    /// Registers the value schemas of these topics; doing it again changes nothing. Topics without
    /// a schema are passed over.
    ///
    /// @return the id of each topic's schema
    /// @throws ContractBrokenException when the registry holds a version that contradicts ours
    /// @throws RegistryUnavailableException when the registry gives no usable answer
    public Map<Topic, Integer> register(Collection<Topic> topics) {
        Map<Topic, Integer> ids = new EnumMap<>(Topic.class);
        List<String> faults = new ArrayList<>();
        requireCompatibility(null);
        for (Topic topic : topics) {
            if (topic.recordTypes().isEmpty()) {
                continue;
            }
            boolean governed = requireCompatibility(topic.subject());
            try {
                ids.put(
                        topic,
                        registry.register(
                                topic.subject(), new AvroSchema(topic.schema().registered())));
            } catch (RestClientException e) {
                if (e.getStatus() != CONFLICT) {
                    throw unavailable(topic.subject(), e);
                }
                faults.add(
                        "[%s] the registry holds a version this program's schema is not compatible with, expected %s: run the release that wrote it, or give new fields a default (%s)"
                                .formatted(topic.subject(), COMPATIBILITY, e.getMessage()));
            } catch (IOException e) {
                throw unavailable(topic.subject(), e);
            }
            if (!governed) {
                requireCompatibility(topic.subject());
            }
        }
        if (!faults.isEmpty()) {
            throw new ContractBrokenException(faults);
        }
        return ids;
    }

    /// Some registries know settings of a subject only once it exists; those answer false.
    private boolean requireCompatibility(@Nullable String subject) {
        try {
            registry.updateCompatibility(subject, COMPATIBILITY);
            return true;
        } catch (RestClientException e) {
            if (e.getStatus() == NOT_FOUND && subject != null) {
                return false;
            }
            throw unavailable(subject == null ? "compatibility" : subject, e);
        } catch (IOException e) {
            throw unavailable(subject == null ? "compatibility" : subject, e);
        }
    }

    private static RegistryUnavailableException unavailable(String where, Exception cause) {
        return new RegistryUnavailableException(
                "[%s] the registry could not be prepared: %s".formatted(where, cause.getMessage()),
                cause);
    }
}
