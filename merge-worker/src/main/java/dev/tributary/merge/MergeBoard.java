package dev.tributary.merge;

import dev.tributary.tensors.Progress;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The merges that run and those that ran last, for whoever wants to watch.
final class MergeBoard {
    private static final int REMEMBERED = 20;

    private final Clock clock;
    private final Set<Running> running = new LinkedHashSet<>();
    private final Deque<MergeView> ended = new ArrayDeque<>();

    MergeBoard(Clock clock) {
        this.clock = clock;
    }

    /// How a merge has ended.
    enum End {
        MERGED,
        REUSED,
        FAILED,
        RETRYING,
        ABANDONED
    }

    /// A merge begins.
    synchronized Running begin(Wish wish, long number) {
        Running merge = new Running(wish, number, clock.instant());
        running.add(merge);
        return merge;
    }

    /// Running merges first, then the last ones, newest first.
    synchronized List<MergeView> views() {
        List<MergeView> views = new ArrayList<>();
        running.forEach(merge -> views.add(merge.view(clock.instant(), null)));
        views.addAll(ended);
        return views;
    }

    /// How many merges run.
    synchronized int running() {
        return running.size();
    }

    private synchronized void end(Running merge, End how) {
        if (running.remove(merge)) {
            ended.removeIf(view -> view.isEarlierAttemptAt(merge.wish.id()));
            ended.addFirst(merge.view(clock.instant(), how));
            if (ended.size() > REMEMBERED) {
                ended.removeLast();
            }
        }
    }

    /// A merge that runs, told how far it is.
    final class Running implements Progress {
        private final Wish wish;
        private final long number;
        private final Instant startedAt;
        private String stage = "starting";
        private Instant stageSince;
        private long done;
        private long total;

        private Running(Wish wish, long number, Instant startedAt) {
            this.wish = wish;
            this.number = number;
            this.startedAt = startedAt;
            this.stageSince = startedAt;
        }

        @Override
        public void update(String stageNow, long doneNow, long totalNow) {
            synchronized (MergeBoard.this) {
                if (doneNow < done || !sameStage(stage, stageNow)) {
                    stageSince = clock.instant();
                }
                stage = stageNow;
                done = doneNow;
                total = totalNow;
            }
        }

        /// It has ended.
        void end(End how) {
            MergeBoard.this.end(this, how);
        }

        private MergeView view(Instant now, @Nullable End how) {
            return new MergeView(
                    wish.pool(),
                    number,
                    wish.id().value(),
                    wish.method().id(),
                    wish.tasks(),
                    stage,
                    done,
                    total,
                    how == null ? etaSeconds(now) : null,
                    startedAt,
                    how == null ? null : now,
                    how == null ? "RUNNING" : how.name());
        }

        private @Nullable Double etaSeconds(Instant now) {
            if (done <= 0 || total < done) {
                return null;
            }
            double elapsed = Duration.between(stageSince, now).toMillis() / 1000.0;
            return elapsed * (total - done) / done;
        }

        /// A stage may carry numbers, such as a loss; its first word tells it from the next.
        private static boolean sameStage(String one, String other) {
            return one.split(" ", 2)[0].equals(other.split(" ", 2)[0]);
        }
    }
}
