package dev.tributary.merge;

import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.Topic;
import io.confluent.kafka.schemaregistry.avro.AvroSchema;
import io.confluent.kafka.schemaregistry.client.MockSchemaRegistryClient;
import io.confluent.kafka.schemaregistry.client.rest.exceptions.RestClientException;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.specific.SpecificRecord;

/// Pool events as they lie in the log, written and read with Confluent's registry in memory.
final class EventBytes {
    static final String TOPIC = Topic.POOL_EVENTS.topicName();

    private final MockSchemaRegistryClient registry = new MockSchemaRegistryClient();
    private final AvroWireSerializer serializer = new AvroWireSerializer(registry);

    EventBytes() {
        try {
            registry.register(
                    TOPIC + "-value", new AvroSchema(Topic.POOL_EVENTS.schema().registered()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (RestClientException e) {
            throw new IllegalStateException(e);
        }
    }

    AvroWireDeserializer deserializer() {
        return new AvroWireDeserializer(registry);
    }

    byte[] of(SpecificRecord event) {
        return serializer.serialize(TOPIC, event);
    }
}
