package dev.tributary.merge;

import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.Topic;
import dev.tributary.schemas.UndecodableRecordException;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// How workers exchange gradients: plain records outside of any group and transaction, since what
/// is lost is computed again.
///
/// @param worker names this worker
record GradientChannel(
        String worker,
        KafkaClients clients,
        AvroWireSerializer serializer,
        AvroWireDeserializer deserializer) {
    private static final Logger LOG = Logger.getLogger(GradientChannel.class);

    Producer<byte[], byte[]> producer() {
        return clients.prompt();
    }

    Consumer<byte[], byte[]> consumer() {
        return clients.bystander();
    }

    byte[] bytes(Topic topic, SpecificRecord event) {
        return serializer.serialize(topic.topicName(), event);
    }

    /// What a record says; null where it says nothing of this kind, which is no harm: whoever waits
    /// for it does without.
    <T extends SpecificRecord> @Nullable T event(
            ConsumerRecord<byte[], byte[]> record, Class<T> type) {
        try {
            SpecificRecord event = deserializer.deserialize(record.topic(), record.value());
            return type.isInstance(event) ? type.cast(event) : null;
        } catch (UndecodableRecordException e) {
            LOG.warnf("passed over %s@%d: %s", record.topic(), record.offset(), e.getMessage());
            return null;
        }
    }

    static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
