package dev.tributary.merge;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsOptions;
import org.apache.kafka.clients.admin.ListConsumerGroupOffsetsSpec;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/// Reads up to where a consumer group has dealt with a partition.
final class GroupOffset {
    private GroupOffset() {}

    /// The offset of the first record that is not dealt with. Waits for transactions under way, so
    /// the answer cannot be overtaken by one of an owner that has been shut out.
    static long read(Admin admin, String group, TopicPartition partition)
            throws InterruptedException {
        try {
            OffsetAndMetadata committed =
                    admin.listConsumerGroupOffsets(
                                    Map.of(
                                            group,
                                            new ListConsumerGroupOffsetsSpec()
                                                    .topicPartitions(List.of(partition))),
                                    new ListConsumerGroupOffsetsOptions().requireStable(true))
                            .partitionsToOffsetAndMetadata(group)
                            .get()
                            .get(partition);
            return committed == null ? earliest(admin, partition) : committed.offset();
        } catch (ExecutionException e) {
            throw new KafkaException(
                    "[%s] the committed offset could not be read: %s"
                            .formatted(partition, e.getCause()),
                    e.getCause());
        }
    }

    private static long earliest(Admin admin, TopicPartition partition)
            throws ExecutionException, InterruptedException {
        return admin.listOffsets(Map.of(partition, OffsetSpec.earliest()))
                .partitionResult(partition)
                .get()
                .offset();
    }
}
