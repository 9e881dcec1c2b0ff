package dev.tributary.cli.chaos;

import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Sends events until it is told to stop, as many as the workers keep up with.
final class Sender {
    /// How many records and generations wait at most before no more are sent.
    private static final int MOST_WAITING = 20;

    private static final long LONGEST_GAP_MILLIS = 400;

    private final Traffic traffic;
    private final Observer observer;
    private final Random gaps;
    private final Thread thread =
            Thread.ofPlatform()
                    .daemon()
                    .name("sender")
                    .uncaughtExceptionHandler((_, e) -> this.failure = e)
                    .unstarted(this::run);
    private volatile boolean stopped;
    private volatile boolean paused;
    private volatile @Nullable Throwable failure;

    Sender(Traffic traffic, Observer observer, long seed) {
        this.traffic = traffic;
        this.observer = observer;
        this.gaps = new Random(seed);
    }

    void start() {
        thread.start();
    }

    private void run() {
        try {
            while (!stopped) {
                long waiting = observer.backlog(traffic.sent()) + observer.unjudged();
                if (!paused && waiting < MOST_WAITING) {
                    traffic.next();
                }
                Thread.sleep(gaps.nextLong(LONGEST_GAP_MILLIS));
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// Sends nothing for a while, or goes on.
    void pause(boolean now) {
        paused = now;
    }

    /// What ended the sending, if anything did.
    @Nullable Throwable failure() {
        return failure;
    }

    void stop() throws InterruptedException {
        stopped = true;
        thread.join();
    }
}
