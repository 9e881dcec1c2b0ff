package dev.tributary.merge;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.tributary.schemas.AvroWireDeserializer;
import dev.tributary.schemas.AvroWireSerializer;
import dev.tributary.schemas.Topic;
import java.util.List;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Utils;

/// How workers exchange gradients: plain records outside of any group and transaction, since what
/// is lost is computed again.
///
/// @param worker names this worker
record GradientChannel(
        String worker,
        KafkaClients clients,
        AvroWireSerializer serializer,
        AvroWireDeserializer deserializer) {

    Producer<byte[], byte[]> producer() {
        return clients.prompt();
    }

    Consumer<byte[], byte[]> consumer() {
        return clients.bystander();
    }

    byte[] bytes(Topic topic, SpecificRecord event) {
        return serializer.serialize(topic.topicName(), event);
    }

    SpecificRecord event(ConsumerRecord<byte[], byte[]> record) {
        return deserializer.deserialize(record.topic(), record.value());
    }

    /// Where a pool's records are.
    static TopicPartition partition(Topic topic, String pool) {
        return new TopicPartition(
                topic.topicName(),
                Utils.toPositive(Utils.murmur2(pool.getBytes(UTF_8))) % topic.partitions());
    }

    static double[] array(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }
}
