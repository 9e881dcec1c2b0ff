package dev.tributary.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.eval.TinyModels.Made;
import dev.tributary.eval.TinyModels.Variant;
import dev.tributary.events.AlertState;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.EvaluationRequested;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.RegressionAlert;
import dev.tributary.events.TaskEvaluated;
import dev.tributary.events.Verdict;
import dev.tributary.schemas.DeadLetterRecord;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/// The packaged worker against a real broker and a real registry, with small real models.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class EvalWorkerIT {

    private Installation installation;
    private WorkerProcess worker;

    @BeforeAll
    void start(@TempDir Path folder) {
        installation = new Installation(folder);
        worker = installation.worker("worker");
    }

    @AfterAll
    void stop() {
        worker.close();
        installation.close();
    }

    @Test
    @Order(1)
    void aWorkerWaitsForBrokerRegistryAndTopicsAndSaysWhatItWaitsFor() {
        worker.awaitLog("waiting for broker");
        worker.awaitLog("waiting for registry");
        assertThat(worker.status("/q/health/ready")).isEqualTo(503);
        assertThat(worker.status("/q/health/live")).isEqualTo(200);

        installation.startStack();
        worker.awaitLog("waiting for contract");
        assertThat(worker.get("/q/health/ready")).contains("create the topics of the catalogue");

        installation.prepare();
        worker.ready();
        assertThat(worker.alive()).isTrue();
    }

    @Test
    @Order(2)
    void aGoodGenerationIsPromotedAWorseOneAlarmsAndTheNextGoodOneResolves() {
        installation.merge("mail", 1, tasks(Variant.SAME, Variant.SAME));
        GenerationEvaluated first =
                installation
                        .await(Topic.EVALUATIONS, "mail", GenerationEvaluated.class, 1)
                        .getFirst();
        assertThat(first.getVerdict()).isEqualTo(Verdict.PASS);
        assertThat(first.getAnp()).isEqualTo(1);

        installation.merge("mail", 2, tasks(Variant.NEGATED, Variant.SAME));
        GenerationEvaluated second =
                installation.await(Topic.EVALUATIONS, "mail", GenerationEvaluated.class, 2).get(1);
        assertThat(second.getVerdict()).isEqualTo(Verdict.REGRESSED);
        assertThat(second.getChampionNumber()).isEqualTo(1);
        assertThat(second.getTasks())
                .extracting("task", "score", "lost", "regressed")
                .containsExactly(tuple("mood", 0.0, 300, true), tuple("spam", 1.0, 0, false));
        assertThat(installation.await(Topic.ALERTS, "mail", RegressionAlert.class, 2))
                .extracting(RegressionAlert::getTask, RegressionAlert::getState)
                .containsExactly(tuple(null, AlertState.FIRING), tuple("mood", AlertState.FIRING));

        installation.merge("mail", 3, tasks(Variant.CLOSE, Variant.SAME));
        GenerationEvaluated third =
                installation.await(Topic.EVALUATIONS, "mail", GenerationEvaluated.class, 3).get(2);
        assertThat(third.getVerdict()).isEqualTo(Verdict.PASS);
        assertThat(installation.await(Topic.ALERTS, "mail", RegressionAlert.class, 4))
                .extracting(RegressionAlert::getTask, RegressionAlert::getState)
                .endsWith(tuple(null, AlertState.RESOLVED), tuple("mood", AlertState.RESOLVED));
        assertThat(installation.await(Topic.PROMOTIONS, "mail", GenerationPromoted.class, 2))
                .extracting(GenerationPromoted::getNumber, GenerationPromoted::getPreviousNumber)
                .containsExactly(tuple(1L, null), tuple(3L, 1L));
    }

    @Test
    @Order(3)
    void whatWasScoredCanBeWatched() {
        JsonNode evaluations = worker.evaluations();
        assertThat(evaluations).hasSize(6);
        assertThat(evaluations.findValuesAsText("outcome")).containsOnly("SCORED");
        assertThat(evaluations.findValuesAsText("task")).contains("mood", "spam");
        assertThat(worker.get("/q/metrics"))
                .contains("tributary_eval_anp{pool=\"mail\"} 1.0")
                .contains("tributary_eval_retention{pool=\"mail\",task=\"mood\"} 1.0")
                .contains("tributary_eval_verdicts_total{verdict=\"pass\"} 2.0")
                .contains("tributary_eval_verdicts_total{verdict=\"regressed\"} 1.0")
                .contains("tributary_eval_alerts_firing{pool=\"mail\"} 0.0")
                .contains("tributary_eval_champion_number{pool=\"mail\"} 3.0")
                .contains("tributary_eval_seconds_count{outcome=\"scored\"} 6");
    }

    @Test
    @Order(4)
    void theTraceOfAGenerationGoesAllTheWayToItsVerdict() {
        installation.merge("traced", 1, tasks(Variant.SAME, Variant.SAME));
        installation.await(Topic.EVALUATIONS, "traced", GenerationEvaluated.class, 1);

        assertThat(trace(Topic.EVALUATIONS)).isEqualTo(trace(Topic.GENERATIONS));
        assertThat(trace(Topic.TASK_EVALUATIONS)).isEqualTo(trace(Topic.GENERATIONS));
    }

    private String trace(Topic topic) {
        return EventHeaders.traceparent(installation.records(topic, "traced").getFirst().headers())
                .orElseThrow();
    }

    @Test
    @Order(5)
    void anArtifactThatCannotBeReadLeavesTheVerdictOpenAndSaysWhy() {
        installation.merge("torn", 1, tasks(Variant.TRUNCATED, Variant.NOT_FINITE));

        GenerationEvaluated evaluated =
                installation
                        .await(Topic.EVALUATIONS, "torn", GenerationEvaluated.class, 1)
                        .getFirst();
        assertThat(evaluated.getVerdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(evaluated.getTasks())
                .extracting("task", "failureCode")
                .containsExactly(tuple("mood", "CORRUPT_CHECKPOINT"), tuple("spam", "NON_FINITE"));
        assertThat(installation.events(Topic.PROMOTIONS, "torn", GenerationPromoted.class))
                .isEmpty();
    }

    @Test
    @Order(6)
    void recordsThatAreNoEventsAreSetAsideByteForByteAndWorkGoesOn() {
        byte[] junk = {1, 2, 3, 4, 5, 6, 7};
        RecordHeaders headers = new RecordHeaders();
        headers.add("who", new byte[] {9});
        List<Topic> read =
                List.of(
                        Topic.GENERATIONS,
                        Topic.EVALUATION_REQUESTS,
                        Topic.TASK_EVALUATIONS,
                        Topic.PROMOTIONS);
        List<Topic> queues =
                read.stream().map(topic -> topic.deadLetterQueue().orElseThrow()).toList();
        read.forEach(topic -> installation.sendBytes(topic, "junk", junk, headers));

        installation.await(
                () ->
                        queues.stream()
                                .allMatch(queue -> installation.records(queue, "junk").size() == 1),
                () -> "a dead letter for each");
        for (Topic queue : queues) {
            var letter = installation.records(queue, "junk").getFirst();
            assertThat(letter.value()).isEqualTo(junk);
            assertThat(letter.headers().lastHeader("who").value()).containsExactly(9);
            assertThat(EventHeaders.text(letter.headers(), DeadLetterRecord.ERROR_CODE))
                    .hasValue("UNDECODABLE_RECORD");
        }
        assertThat(installation.await(Topic.DEAD_LETTERS, "junk", DeadLetter.class, 3))
                .extracting(DeadLetter::getCode)
                .containsOnly("UNDECODABLE_RECORD");
        installation.merge("junk", 1, tasks(Variant.SAME, Variant.SAME));
        installation.await(Topic.EVALUATIONS, "junk", GenerationEvaluated.class, 1);
    }

    @Test
    @Order(7)
    void aKilledWorkerLosesNothingAndASecondOneSharesTheWork() {
        WorkerProcess second = installation.worker("second").ready();
        try {
            SortedMap<String, Made> many = new TreeMap<>();
            for (int i = 0; i < 12; i++) {
                many.put("task-%02d".formatted(i), new Made(40 + i, Variant.SAME));
            }
            installation.merge("shared", 1, many);
            installation.await(Topic.TASK_EVALUATIONS, "shared", TaskEvaluated.class, 2);
            worker.kill();
            worker = installation.worker("worker-again").ready();

            List<GenerationEvaluated> evaluated =
                    installation.await(Topic.EVALUATIONS, "shared", GenerationEvaluated.class, 1);
            assertThat(evaluated.getFirst().getVerdict()).isEqualTo(Verdict.PASS);
            assertThat(evaluated.getFirst().getTasks()).hasSize(12);

            installation.merge("shared", 2, many);
            installation.await(Topic.EVALUATIONS, "shared", GenerationEvaluated.class, 2);
            List<TaskEvaluated> results =
                    installation.events(Topic.TASK_EVALUATIONS, "shared", TaskEvaluated.class);
            assertThat(
                            results.stream()
                                    .filter(result -> result.getNumber() == 2)
                                    .map(TaskEvaluated::getWorker)
                                    .distinct())
                    .hasSize(2);
            assertThat(installation.events(Topic.EVALUATIONS, "shared", GenerationEvaluated.class))
                    .extracting(GenerationEvaluated::getNumber)
                    .containsExactly(1L, 2L);
            assertThat(installation.events(Topic.PROMOTIONS, "shared", GenerationPromoted.class))
                    .extracting(GenerationPromoted::getNumber)
                    .containsExactly(1L, 2L);
        } finally {
            second.close();
        }
    }

    @Test
    @Order(8)
    void aWorkerStartedAgainKnowsTheChampionAndRepeatsNothing() {
        int requests = requests().size();
        worker.terminate();
        assertThat(worker.exits(Duration.ofSeconds(30))).isTrue();
        worker = installation.worker("third").ready();

        installation.merge("mail", 4, tasks(Variant.NEGATED, Variant.NEGATED));
        GenerationEvaluated fourth =
                installation.await(Topic.EVALUATIONS, "mail", GenerationEvaluated.class, 4).get(3);

        assertThat(fourth.getVerdict()).isEqualTo(Verdict.REGRESSED);
        assertThat(fourth.getChampionNumber()).isEqualTo(3);
        assertThat(requests()).hasSize(requests + 2);
        assertThat(installation.events(Topic.EVALUATIONS, "mail", GenerationEvaluated.class))
                .extracting(GenerationEvaluated::getNumber)
                .containsExactly(1L, 2L, 3L, 4L);
    }

    private List<EvaluationRequested> requests() {
        return installation.allEvents(Topic.EVALUATION_REQUESTS, EvaluationRequested.class);
    }

    private static SortedMap<String, Made> tasks(Variant mood, Variant spam) {
        return new TreeMap<>(Map.of("mood", new Made(11, mood), "spam", new Made(12, spam)));
    }
}
