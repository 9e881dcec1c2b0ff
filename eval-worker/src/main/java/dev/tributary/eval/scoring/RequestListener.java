package dev.tributary.eval.scoring;

import dev.tributary.eval.scoring.FailurePolicy.GiveUp;
import dev.tributary.eval.scoring.FailurePolicy.Halt;
import dev.tributary.eval.scoring.FailurePolicy.Retry;
import dev.tributary.eval.scoring.ScoringRequest.Subject;
import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.TaskResult.Failed;
import dev.tributary.events.EvaluationRequested;
import dev.tributary.schemas.RegistryUnavailableException;
import dev.tributary.schemas.UndecodableRecordException;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.FaultPoint;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.avro.specific.SpecificRecord;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.Deserializer;
import org.jboss.logging.Logger;

/// Sees one request through: from its bytes to the result the broker has taken. Returns only then,
/// so that its offset can be committed; waits for a broker or a registry as long as it takes.
final class RequestListener {

    /// However long broker or registry are away, work goes on this soon after they are back.
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(10);

    private static final Logger LOG = Logger.getLogger(RequestListener.class);

    private final Deserializer<SpecificRecord> events;
    private final TaskScorer scorer;
    private final ResultPublisher publisher;
    private final FailurePolicy policy;
    private final CrashLedger ledger;
    private final int maxCrashes;
    private final EvaluationBoard board;
    private final EvaluationMeters meters;

    RequestListener(
            Deserializer<SpecificRecord> events,
            TaskScorer scorer,
            ResultPublisher publisher,
            FailurePolicy policy,
            CrashLedger ledger,
            int maxCrashes,
            EvaluationBoard board,
            EvaluationMeters meters) {
        this.events = events;
        this.scorer = scorer;
        this.publisher = publisher;
        this.policy = policy;
        this.ledger = ledger;
        this.maxCrashes = maxCrashes;
        this.board = board;
        this.meters = meters;
    }

    /// @throws InterruptedException when the worker is asked to stop; the request is then left to
    ///   whoever reads it next
    void handle(ConsumerRecord<byte[], byte[]> record) throws InterruptedException {
        EvaluationRequested event;
        try {
            event = decode(record);
        } catch (UndecodableRecordException e) {
            LOG.warnf(
                    "request set aside code=%s topic=%s partition=%d offset=%d: %s",
                    e.code(), record.topic(), record.partition(), record.offset(), e.getMessage());
            untilTaken(() -> publisher.setAside(record, e));
            meters.deadLetter(e.code());
            return;
        }
        if (event != null) {
            evaluate(record, event);
        }
    }

    private void evaluate(ConsumerRecord<byte[], byte[]> record, EvaluationRequested event)
            throws InterruptedException {
        Subject subject = Subject.of(event);
        String work = "%s-%d@%d".formatted(record.topic(), record.partition(), record.offset());
        int crashes = ledger.begin(work);
        long began = System.nanoTime();
        try (EvaluationBoard.Running running = board.begin(subject)) {
            FaultPoint.REQUEST_TAKEN.reached();
            TaskResult result =
                    crashes < maxCrashes
                            ? score(event, subject, running)
                            : new Failed(
                                    subject.task(),
                                    FailureCode.CRASH_LOOP.name(),
                                    "[%s] has ended this process %d times and is not tried again: see the worker's log"
                                            .formatted(subject, crashes));
            FaultPoint.TASK_SCORED.reached();
            Duration taken = Duration.ofNanos(System.nanoTime() - began);
            untilTaken(() ->
                    publisher.publish(record.headers(), subject, result, taken.toNanos() / 1e9));
            FaultPoint.SCORE_SENT.reached();
            running.ended(result);
            meters.evaluated(result, taken);
            log(subject, result, taken);
        }
        ledger.end(work);
    }

    private TaskResult score(
            EvaluationRequested event, Subject subject, EvaluationBoard.Running running)
            throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                return scorer.score(ScoringRequest.of(event), running);
            } catch (RuntimeException | Error e) {
                double random = ThreadLocalRandom.current().nextDouble();
                switch (policy.dispose(subject.toString(), e, attempt, random)) {
                    case Halt _ -> throw e;
                    case GiveUp(Fault fault) -> {
                        LOG.warnf(e, "scoring given up %s code=%s", subject, fault.code());
                        return new Failed(subject.task(), fault.code().name(), fault.toString());
                    }
                    case Retry(Duration delay) -> {
                        LOG.infof("scoring tried again in %s %s: %s", delay, subject, e);
                        Thread.sleep(delay);
                    }
                }
            }
        }
    }

    @SuppressWarnings("NullAway") // a record without a value is passed over
    private EvaluationRequested decode(ConsumerRecord<byte[], byte[]> record)
            throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                return (EvaluationRequested) events.deserialize(record.topic(), record.value());
            } catch (RegistryUnavailableException e) {
                waitFor("registry", e, attempt);
            }
        }
    }

    private interface Publishing {
        void run() throws InterruptedException;
    }

    private void untilTaken(Publishing publishing) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                publishing.run();
                return;
            } catch (RegistryUnavailableException e) {
                waitFor("registry", e, attempt);
            } catch (KafkaException e) {
                waitFor("broker", e, attempt);
            }
        }
    }

    private void waitFor(String what, RuntimeException failure, int attempt)
            throws InterruptedException {
        Duration delay = policy.delay(attempt, ThreadLocalRandom.current().nextDouble());
        if (delay.compareTo(LONGEST_PAUSE) > 0) {
            delay = LONGEST_PAUSE;
        }
        LOG.warnf("waiting for %s, tried again in %s: %s", what, delay, failure.getMessage());
        Thread.sleep(delay);
    }

    private static void log(Subject subject, TaskResult result, Duration taken) {
        if (result instanceof TaskResult.Scored scored) {
            LOG.infof(
                    "scored %s score=%.4f expertScore=%.4f interference=%.5f items=%d seconds=%.2f",
                    subject,
                    scored.score(),
                    scored.expertScore(),
                    scored.interference(),
                    scored.items(),
                    taken.toNanos() / 1e9);
        }
    }
}
