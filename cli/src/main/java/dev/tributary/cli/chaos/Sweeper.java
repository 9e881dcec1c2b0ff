package dev.tributary.cli.chaos;

import dev.tributary.cli.Connection;
import dev.tributary.cli.GarbageCollection;
import dev.tributary.cli.UnreachableException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/// Collects the store's garbage again and again while everything else goes on. All generations are
/// kept, and with them all they were made of: what it takes away must not be missed by anybody.
final class Sweeper implements AutoCloseable {
    private static final int ALL = Integer.MAX_VALUE;

    /// Longer than a worker may be stalled or away between two steps of one merge.
    private static final Duration MIN_AGE = Duration.ofSeconds(60);

    private static final Duration PAUSE = Duration.ofSeconds(5);

    private final GarbageCollection collection;
    private final Map<GarbageCollection.Fate, Integer> fates =
            new EnumMap<>(GarbageCollection.Fate.class);
    private int runs;
    private int failed;
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile @Nullable RuntimeException failure;
    private @Nullable Thread thread;

    /// What it came to.
    ///
    /// @param failed runs that ended because the broker did not answer
    record Swept(int runs, int failed, int discarded, int restored, int removed) {}

    Sweeper(Connection connection) {
        this.collection = new GarbageCollection(connection, ALL);
    }

    void start() {
        thread = Thread.ofPlatform().name("sweeper").daemon().start(this::sweep);
    }

    private void sweep() {
        try {
            while (!end.await(PAUSE.toMillis(), TimeUnit.MILLISECONDS)) {
                once();
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            failure = e;
        }
    }

    private void once() {
        try {
            count(collection.run(MIN_AGE, true));
        } catch (KafkaException | UnreachableException _) {
            count(null);
        }
    }

    private synchronized void count(@Nullable List<GarbageCollection.Judged> judged) {
        runs++;
        if (judged == null) {
            failed++;
        } else {
            judged.forEach(one -> fates.merge(one.fate(), 1, Integer::sum));
        }
    }

    /// What it has done.
    synchronized Swept swept() {
        return new Swept(
                runs,
                failed,
                fates.getOrDefault(GarbageCollection.Fate.DISCARDED, 0),
                fates.getOrDefault(GarbageCollection.Fate.RESTORED, 0),
                fates.getOrDefault(GarbageCollection.Fate.REMOVED, 0));
    }

    /// What ended it before its time; null for nothing.
    @Nullable RuntimeException failure() {
        return failure;
    }

    /// Ends after the run that is going on.
    @Override
    public void close() {
        end.countDown();
        Thread running = thread;
        if (running != null) {
            try {
                running.join();
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
