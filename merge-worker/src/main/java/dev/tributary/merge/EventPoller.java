package dev.tributary.merge;

import dev.tributary.schemas.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// The one thread that polls: it keeps the membership of the group whatever a merge takes, and
/// carries records to the lanes. It decides nothing and waits for nobody.
final class EventPoller {
    private static final Logger LOG = Logger.getLogger(EventPoller.class);
    private static final Duration POLL = Duration.ofMillis(250);

    private final Equipment equipment;
    private final int maxWaitingRecords;
    private final Membership membership = new Membership();
    private final Map<TopicPartition, Lane> lanes = new ConcurrentHashMap<>();
    private final Thread thread =
            Thread.ofPlatform().name("poller").daemon(true).unstarted(this::run);
    private volatile boolean ending;
    private volatile boolean stopped;
    private volatile long polledAt = System.nanoTime();

    EventPoller(Equipment equipment, int maxWaitingRecords) {
        this.equipment = equipment;
        this.maxWaitingRecords = maxWaitingRecords;
    }

    void start() {
        thread.start();
    }

    /// How long ago the last poll returned.
    Duration sincePoll() {
        return Duration.ofNanos(System.nanoTime() - polledAt);
    }

    /// Events without an answer in this worker's partitions.
    long backlogEvents() {
        return lanes.values().stream().mapToLong(lane -> lane.queue().backlog()).sum();
    }

    /// Pools in this worker's partitions that wait for a merge.
    long backlogMerges() {
        return lanes.values().stream().mapToLong(Lane::wishes).sum();
    }

    /// How many partitions this worker owns.
    int partitions() {
        return lanes.size();
    }

    /// Lets running merges come to their end for at most this long, then leaves the group. Polling
    /// goes on meanwhile, so that nobody else begins the same merges.
    ///
    /// @return false when a merge did not even give up in time and still runs
    boolean stop(Duration drain) throws InterruptedException {
        ending = true;
        List<Lane> open = new ArrayList<>(lanes.values());
        open.forEach(Lane::end);
        long deadline = System.nanoTime() + drain.toNanos();
        boolean allEnded = true;
        for (Lane lane : open) {
            Duration left = Duration.ofNanos(Math.max(1, deadline - System.nanoTime()));
            allEnded &= lane.hasEnded(left);
        }
        if (!allEnded) {
            LOG.warn(
                    "a merge was not finished in time and is dropped: whoever takes over begins it anew");
            open.forEach(Lane::lose);
            allEnded = true;
            for (Lane lane : open) {
                allEnded &= lane.hasEnded(KafkaClients.CLOSE_TIMEOUT);
            }
        }
        stopped = true;
        var _ = thread.join(KafkaClients.CLOSE_TIMEOUT.multipliedBy(2));
        return allEnded;
    }

    private void run() {
        int troubles = 0;
        while (!stopped) {
            try (Consumer<byte[], byte[]> consumer =
                    equipment.clients().events(MergeWorker.GROUP)) {
                consumer.subscribe(
                        List.of(Topic.POOL_EVENTS.topicName()), new Assignment(consumer));
                while (!stopped) {
                    poll(consumer);
                    troubles = 0;
                }
            } catch (KafkaException e) {
                LOG.warnf("polling begins again: %s", e);
                pause(equipment.policy().delay(++troubles, 1));
            } finally {
                lanes.values().forEach(Lane::lose);
                lanes.clear();
            }
        }
    }

    private void poll(Consumer<byte[], byte[]> consumer) {
        ConsumerRecords<byte[], byte[]> records = consumer.poll(POLL);
        polledAt = System.nanoTime();
        membership.polled(consumer.groupMetadata());
        lanes.forEach((partition, lane) -> {
            RecordQueue queue = lane.queue();
            if (queue.isOpen()) {
                queue.offer(
                        records.records(partition),
                        consumer.position(partition),
                        consumer.currentLag(partition).orElse(0));
            }
            queue.wantedStart()
                    .ifPresent(offset -> {
                        consumer.seek(partition, offset);
                        queue.startedAt(offset);
                    });
            if (queue.hasRoom(maxWaitingRecords)) {
                consumer.resume(List.of(partition));
            } else {
                consumer.pause(List.of(partition));
            }
        });
    }

    private static void pause(Duration delay) {
        try {
            Thread.sleep(delay);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Called by the consumer from within a poll.
    private final class Assignment implements ConsumerRebalanceListener {
        private final Consumer<byte[], byte[]> consumer;

        Assignment(Consumer<byte[], byte[]> consumer) {
            this.consumer = consumer;
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
            consumer.pause(partitions); // a rebalance hands them out unpaused
            if (ending || partitions.isEmpty()) {
                return;
            }
            LOG.infof("partitions assigned %s", partitions);
            for (TopicPartition partition : partitions) {
                @Nullable Lane before =
                        lanes.put(partition, Lane.start(equipment, partition, membership));
                if (before != null) {
                    before.lose();
                }
            }
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
            if (!partitions.isEmpty()) {
                LOG.infof("partitions revoked %s", partitions);
            }
            for (TopicPartition partition : partitions) {
                @Nullable Lane lane = lanes.remove(partition);
                if (lane != null) {
                    lane.lose();
                }
            }
        }
    }
}
