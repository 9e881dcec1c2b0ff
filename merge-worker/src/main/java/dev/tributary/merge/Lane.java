package dev.tributary.merge;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.common.TopicPartition;
import org.jboss.logging.Logger;
import org.jspecify.annotations.Nullable;

/// The thread of one partition, for as long as this worker owns it. Begins a new session whenever
/// one has ended in doubt.
final class Lane {
    /// However long the broker is away, work goes on this soon after it is back.
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private static final Logger LOG = Logger.getLogger(Lane.class);

    private final Equipment equipment;
    private final TopicPartition partition;
    private final Membership membership;
    private final RecordQueue queue = new RecordQueue();
    private final Ownership ownership = new Ownership();
    private final Thread thread;
    private volatile @Nullable PartitionSession session;

    private Lane(Equipment equipment, TopicPartition partition, Membership membership) {
        this.equipment = equipment;
        this.partition = partition;
        this.membership = membership;
        this.thread =
                Thread.ofPlatform()
                        .name("lane-" + partition.partition())
                        .daemon(true)
                        .unstarted(this::run);
    }

    /// Begins to work on a partition.
    static Lane start(Equipment equipment, TopicPartition partition, Membership membership) {
        Lane lane = new Lane(equipment, partition, membership);
        lane.thread.start();
        return lane;
    }

    /// Its way in.
    RecordQueue queue() {
        return queue;
    }

    /// How many of its pools wait for a merge.
    long wishes() {
        PartitionSession current = session;
        return current == null ? 0 : current.wishes();
    }

    /// Lets a merge that runs come to its end, and begins nothing new.
    void end() {
        ownership.end();
    }

    /// Drops everything: the partition is somebody else's.
    void lose() {
        ownership.lose();
    }

    /// Whether its thread has ended, waiting at most this long.
    boolean hasEnded(Duration atMost) throws InterruptedException {
        return thread.join(atMost);
    }

    private void run() {
        int troubles = 0;
        while (ownership.mayBegin()) {
            try (PartitionSession opened =
                    PartitionSession.open(equipment, partition, queue, ownership, membership)) {
                session = opened;
                if (troubles > 0) {
                    LOG.infof("going on partition=%d", partition.partition());
                }
                troubles = 0;
                opened.run();
            } catch (Ownership.AbandonedException e) {
                LOG.infof("work dropped partition=%d: %s", partition.partition(), e.getMessage());
            } catch (PartitionSession.HaltException e) {
                halt(e);
            } catch (AnswerPublisher.LostException e) {
                troubled(
                        ++troubles,
                        e.fenced()
                                ? "another owner has taken over"
                                : "not certain what was published",
                        e);
            } catch (RuntimeException e) {
                troubled(++troubles, "beginning again", e);
            } catch (InterruptedException e) {
                return;
            } catch (Error e) {
                halt(e);
            } finally {
                session = null;
            }
        }
    }

    /// Waits before a new session. After being shut out, at least until a later poll has told
    /// whether the partition is still this worker's.
    private void troubled(int troubles, String what, RuntimeException e) {
        if (ownership.isLost()) {
            LOG.infof("%s partition=%d", what, partition.partition());
            return;
        }
        if (troubles == 1) {
            LOG.warnf("%s partition=%d: %s", what, partition.partition(), e);
        }
        LOG.debugf(e, "%s partition=%d", what, partition.partition());
        Duration delay =
                equipment
                        .policy()
                        .delay(troubles, 0.5 + ThreadLocalRandom.current().nextDouble() / 2);
        if (delay.compareTo(LONGEST_PAUSE) > 0) {
            delay = LONGEST_PAUSE;
        }
        try {
            queue.pause(delay, () -> !ownership.mayBegin());
            var _ = membership.after(membership.current(), () -> !ownership.mayBegin());
        } catch (InterruptedException _) {
            ownership.lose();
        }
    }

    private static void halt(Throwable cause) {
        LOG.fatal("this process is not sound any more and ends", cause);
        Runtime.getRuntime().halt(3);
    }
}
