package dev.tributary.cli;

import dev.tributary.schemas.ConsumerGroup;
import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/// How far the merge-workers are with the pools' events.
final class PoolEventOffsets implements AutoCloseable {
    private final Connection connection;
    private final Admin admin;

    PoolEventOffsets(Connection connection) {
        this.connection = connection;
        this.admin =
                Admin.create(
                        Map.of(
                                AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
                                connection.bootstrapServers()));
    }

    /// Whether an event has its answer.
    boolean isAnswered(Published published) {
        TopicPartition partition =
                new TopicPartition(Topic.POOL_EVENTS.topicName(), published.partition());
        return answeredBefore().getOrDefault(partition, 0L) > published.offset();
    }

    /// Of each partition the offset before which every event has its answer.
    Map<TopicPartition, Long> answeredBefore() {
        Map<TopicPartition, Long> offsets = new HashMap<>();
        get(admin.listConsumerGroupOffsets(ConsumerGroup.MERGE_WORKERS.groupId())
                        .partitionsToOffsetAndMetadata())
                .forEach((partition, committed) -> {
                    if (committed != null) {
                        offsets.put(partition, committed.offset());
                    }
                });
        return offsets;
    }

    /// The ends of the partitions with this number, transactions under way included: an answer that
    /// is committed but not marked so everywhere lies before them.
    Map<TopicPartition, Long> endsOf(Collection<Topic> topics, int partition) {
        Map<TopicPartition, OffsetSpec> wanted = new HashMap<>();
        topics.forEach(topic ->
                wanted.put(new TopicPartition(topic.topicName(), partition), OffsetSpec.latest()));
        Map<TopicPartition, Long> ends = new HashMap<>();
        get(admin.listOffsets(wanted).all()).forEach((at, end) -> ends.put(at, end.offset()));
        return ends;
    }

    private <T> T get(KafkaFuture<T> answer) {
        try {
            return answer.get();
        } catch (ExecutionException e) {
            throw new UnreachableException(
                    "[%s] the broker does not say how far its consumers are: %s"
                            .formatted(connection.bootstrapServers(), e.getCause()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting", e);
        }
    }

    @Override
    public void close() {
        admin.close(Duration.ofSeconds(5));
    }
}
