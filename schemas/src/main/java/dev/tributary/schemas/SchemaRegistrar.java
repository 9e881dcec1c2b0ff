package dev.tributary.schemas;

import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.SchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.InterruptException;
import org.jspecify.annotations.Nullable;

/// Registers the value schema of every topic, so that programs only ever look schemas up. The
/// registry is told first to accept nothing that some released version could not read, in either
/// direction: history is replayed by new programs, and old programs meet new events while a fleet
/// is being updated.
///
/// Several programs may do so at the same time.
public final class SchemaRegistrar {

    /// Every version can read every other, whichever is older.
    public static final String COMPATIBILITY = "FULL_TRANSITIVE";

    private static final String EVERYWHERE = "every subject";
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;

    /// A registry may refuse the second of two equal requests that come at the same time, or leave
    /// one unanswered while it starts. Every request here may be sent again.
    private static final int ATTEMPTS = 4;

    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);

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
        try {
            persistently(() -> requireCompatibility(null));
        } catch (RestClientException | IOException e) {
            throw unavailable(EVERYWHERE, e);
        }
        for (Topic topic : topics) {
            if (topic.recordTypes().isEmpty()) {
                continue;
            }
            try {
                ids.put(topic, persistently(() -> register(topic)));
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
        }
        if (!faults.isEmpty()) {
            throw new ContractBrokenException(faults);
        }
        return ids;
    }

    private int register(Topic topic) throws IOException, RestClientException {
        AvroSchema schema = new AvroSchema(topic.schema().registered());
        boolean governed = requireCompatibility(topic.subject());
        int id = registry.register(topic.subject(), schema);
        if (!governed) {
            var _ = requireCompatibility(topic.subject());
        }
        return id;
    }

    /// @return false when the registry knows settings of a subject only once it exists
    private boolean requireCompatibility(@Nullable String subject)
            throws IOException, RestClientException {
        try {
            if (!COMPATIBILITY.equals(currentCompatibility(subject))) {
                registry.updateCompatibility(subject, COMPATIBILITY);
            }
            return true;
        } catch (RestClientException e) {
            if (e.getStatus() == NOT_FOUND && subject != null) {
                return false;
            }
            throw e;
        }
    }

    private @Nullable String currentCompatibility(@Nullable String subject)
            throws IOException, RestClientException {
        try {
            return registry.getCompatibility(subject);
        } catch (RestClientException e) {
            if (e.getStatus() == NOT_FOUND) {
                return null; // never set
            }
            throw e;
        }
    }

    @FunctionalInterface
    private interface Request<T> {
        T send() throws IOException, RestClientException;
    }

    private static <T> T persistently(Request<T> request) throws IOException, RestClientException {
        Duration pause = FIRST_PAUSE;
        for (int attempt = 1; attempt < ATTEMPTS; attempt++) {
            try {
                return request.send();
            } catch (RestClientException | IOException _) {
                pause(pause);
                pause = pause.multipliedBy(2);
            }
        }
        return request.send();
    }

    private static void pause(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private static RegistryUnavailableException unavailable(String where, Exception cause) {
        return new RegistryUnavailableException(
                "[%s] the registry could not be prepared: %s".formatted(where, cause.getMessage()),
                cause);
    }
}
