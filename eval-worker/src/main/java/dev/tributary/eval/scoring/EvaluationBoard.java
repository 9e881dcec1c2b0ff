package dev.tributary.eval.scoring;

import dev.tributary.eval.scoring.ScoringRequest.Subject;
import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.TaskResult.Failed;
import dev.tributary.eval.verdict.TaskResult.Scored;
import dev.tributary.tensors.Progress;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The evaluations that run and those that ran last, for whoever wants to watch.
public final class EvaluationBoard {

    private static final int REMEMBERED = 50;

    private final Clock clock;
    private final Set<Running> running = new LinkedHashSet<>();
    private final Deque<EvaluationView> ended = new ArrayDeque<>();

    public EvaluationBoard(Clock clock) {
        this.clock = clock;
    }

    /// Running evaluations first, then the last ones, newest first.
    public synchronized List<EvaluationView> views() {
        List<EvaluationView> views = new ArrayList<>();
        running.forEach(evaluation -> views.add(evaluation.view(null, Optional.empty())));
        views.addAll(ended);
        return views;
    }

    /// How many evaluations run.
    public synchronized int running() {
        return running.size();
    }

    synchronized Running begin(Subject subject) {
        Running evaluation = new Running(subject, clock.instant());
        running.add(evaluation);
        return evaluation;
    }

    private synchronized void end(Running evaluation, Optional<TaskResult> result) {
        if (running.remove(evaluation)) {
            ended.addFirst(evaluation.view(clock.instant(), result));
            if (ended.size() > REMEMBERED) {
                ended.removeLast();
            }
        }
    }

    /// An evaluation that runs, told how far it is. Ends as abandoned unless told otherwise.
    final class Running implements Progress, AutoCloseable {

        private final Subject subject;
        private final Instant startedAt;
        private String stage = "waiting";
        private long done;
        private long total;

        private Running(Subject subject, Instant startedAt) {
            this.subject = subject;
            this.startedAt = startedAt;
        }

        @Override
        public void update(String stageNow, long doneNow, long totalNow) {
            synchronized (EvaluationBoard.this) {
                stage = stageNow;
                done = doneNow;
                total = totalNow;
            }
        }

        void ended(TaskResult result) {
            end(this, Optional.of(result));
        }

        @Override
        public void close() {
            end(this, Optional.empty());
        }

        private EvaluationView view(@Nullable Instant endedAt, Optional<TaskResult> result) {
            @Nullable Scored scored = result.orElse(null) instanceof Scored it ? it : null;
            @Nullable Failed failed = result.orElse(null) instanceof Failed it ? it : null;
            return new EvaluationView(
                    subject.pool(),
                    subject.number(),
                    subject.generationId(),
                    subject.task(),
                    stage,
                    done,
                    total,
                    startedAt,
                    endedAt,
                    outcome(endedAt != null, scored != null, failed != null),
                    scored == null ? null : scored.score(),
                    scored == null ? null : scored.expertScore(),
                    scored == null ? null : scored.interference(),
                    failed == null ? null : failed.code(),
                    failed == null ? null : failed.sentence());
        }

        private static String outcome(boolean over, boolean scored, boolean failed) {
            if (!over) {
                return "RUNNING";
            }
            return scored ? "SCORED" : failed ? "FAILED" : "ABANDONED";
        }
    }
}
