package dev.tributary.eval.tally;

import static dev.tributary.eval.tally.StreamUnderTest.POOL;
import static dev.tributary.eval.tally.StreamUnderTest.failed;
import static dev.tributary.eval.tally.StreamUnderTest.generation;
import static dev.tributary.eval.tally.StreamUnderTest.result;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.events.AlertState;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.EvaluationRequested;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.PromotionReason;
import dev.tributary.events.RegressionAlert;
import dev.tributary.events.TaskComparison;
import dev.tributary.events.Verdict;
import dev.tributary.events.VerdictPolicy;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import java.util.List;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.test.TestRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TallyTopologyTest {

    private StreamUnderTest stream;

    @BeforeEach
    void start() throws Exception {
        stream = new StreamUnderTest();
    }

    @AfterEach
    void stop() {
        stream.close();
    }

    @Test
    void aGenerationAsksForAScoreOnEveryTask() {
        stream.merged(1, "g1", "mood", "spam");

        var requests = stream.records(Topic.EVALUATION_REQUESTS);
        assertThat(requests)
                .extracting(TestRecord::key)
                .containsExactly("mail/g1/mood", "mail/g1/spam");
        EvaluationRequested spam = (EvaluationRequested) requests.getLast().value();
        assertThat(spam.getNumber()).isEqualTo(1);
        assertThat(spam.getTaskPath()).isEqualTo("tasks/spam");
        assertThat(spam.getExpert().getUri()).isEqualTo("store:checkpoints/spam");
        assertThat(spam.getTaskDefinition().getUri()).isEqualTo("store:tasks/spam");
        assertThat(spam.getArtifact().getUri()).isEqualTo("store:generations/g1");
    }

    @Test
    void theTraceOfTheGenerationGoesOn() {
        var event = generation(1, "g1", "spam");
        stream.send(Topic.GENERATIONS, event);
        var request = stream.records(Topic.EVALUATION_REQUESTS).getFirst();

        assertThat(EventHeaders.traceparent(request.headers())).isPresent();
        assertThat(EventHeaders.text(request.headers(), "ce_type"))
                .hasValue("dev.tributary.EvaluationRequested.v1");
    }

    @Test
    void aFailedMergeAsksForNothing() {
        stream.send(
                Topic.GENERATIONS,
                GenerationFailed.newBuilder()
                        .setPool(POOL)
                        .setCode("WRONG_BASE")
                        .setSentences(List.of("another base"))
                        .setCodeVersion("0.1.0")
                        .setFailedAt(StreamUnderTest.NOW)
                        .build());

        assertThat(stream.records(Topic.EVALUATION_REQUESTS)).isEmpty();
        assertThat(stream.stored()).isNull();
    }

    @Test
    void theSameGenerationTwiceAsksOnce() {
        stream.merged(1, "g1", "spam");
        stream.merged(1, "g1", "spam");

        assertThat(stream.records(Topic.EVALUATION_REQUESTS)).hasSize(1);
    }

    @Test
    void nothingIsSaidUntilAllTasksAreIn() {
        stream.merged(1, "g1", "mood", "spam");
        stream.scored(1, "g1", "spam", 360);

        assertThat(stream.records(Topic.EVALUATIONS)).isEmpty();
    }

    @Test
    void theFirstGenerationIsJudgedAndPromoted() {
        stream.merged(1, "g1", "mood", "spam");
        stream.scored(1, "g1", "spam", 380);
        stream.scored(1, "g1", "mood", 304);

        GenerationEvaluated evaluated = evaluated().getFirst();
        assertThat(evaluated.getVerdict()).isEqualTo(Verdict.PASS);
        assertThat(evaluated.getAnp()).isCloseTo(0.9, within(1e-12));
        assertThat(evaluated.getChampionNumber()).isNull();
        assertThat(evaluated.getPooled()).isNull();
        assertThat(evaluated.getSentence()).startsWith("Generation 1 passes as the first");
        assertThat(evaluated.getTasks())
                .extracting(TaskComparison::getTask, TaskComparison::getScore)
                .containsExactly(tuple("mood", 0.76), tuple("spam", 0.95));
        GenerationPromoted promoted = promoted().getFirst();
        assertThat(promoted.getNumber()).isEqualTo(1);
        assertThat(promoted.getReason()).isEqualTo(PromotionReason.FIRST);
        assertThat(promoted.getPreviousNumber()).isNull();
        assertThat(promoted.getArtifact().getUri()).isEqualTo("store:generations/g1");
        assertThat(stream.verdicts).containsExactly(dev.tributary.eval.verdict.Verdict.PASS);
    }

    @Test
    void aGenerationNoWorseIsPromotedInPlaceOfTheChampion() {
        judge(1, "g1", 360);
        judge(2, "g2", 358);

        assertThat(evaluated())
                .extracting(GenerationEvaluated::getVerdict)
                .containsExactly(Verdict.PASS, Verdict.PASS);
        assertThat(promoted())
                .extracting(
                        GenerationPromoted::getNumber,
                        GenerationPromoted::getPreviousNumber,
                        GenerationPromoted::getReason)
                .containsExactly(
                        tuple(1L, null, PromotionReason.FIRST),
                        tuple(2L, 1L, PromotionReason.PASS));
    }

    @Test
    void aWorseGenerationFiresAnAlertAndIsNotPromoted() {
        judge(1, "g1", 360);
        judge(2, "g2", 300);

        GenerationEvaluated second = evaluated().getLast();
        assertThat(second.getVerdict()).isEqualTo(Verdict.REGRESSED);
        assertThat(second.getChampionNumber()).isEqualTo(1);
        TaskComparison spam = second.getTasks().getFirst();
        assertThat(spam.getRegressed()).isTrue();
        assertThat(spam.getLost()).isEqualTo(60);
        assertThat(spam.getGained()).isZero();
        assertThat(spam.getDelta()).isCloseTo(-0.15, within(1e-12));
        assertThat(spam.getAdjustedPValue()).isLessThan(1e-10);
        assertThat(second.getPooled().getLost()).isEqualTo(60);
        assertThat(promoted()).extracting(GenerationPromoted::getNumber).containsExactly(1L);
        assertThat(alerts())
                .extracting(
                        RegressionAlert::getTask,
                        RegressionAlert::getRule,
                        RegressionAlert::getState,
                        RegressionAlert::getNumber,
                        RegressionAlert::getChampionNumber)
                .containsExactly(
                        tuple(null, "pool-regressed", AlertState.FIRING, 2L, 1L),
                        tuple("spam", "task-regressed", AlertState.FIRING, 2L, 1L));
    }

    @Test
    void anAlertIsToldOnceAndResolvedByAGenerationThatIsWellAgain() {
        judge(1, "g1", 360);
        judge(2, "g2", 300);
        List<RegressionAlert> fired = alerts();

        judge(3, "g3", 299);
        assertThat(alerts()).isEmpty();

        judge(4, "g4", 361);
        List<RegressionAlert> resolved = alerts();
        assertThat(resolved)
                .extracting(RegressionAlert::getState)
                .containsOnly(AlertState.RESOLVED);
        assertThat(resolved)
                .extracting(RegressionAlert::getAlertId)
                .containsExactlyElementsOf(
                        fired.stream().map(RegressionAlert::getAlertId).toList());
        assertThat(promoted()).extracting(GenerationPromoted::getNumber).containsExactly(1L, 4L);
    }

    @Test
    void anAlertOfATaskThatLeftThePoolIsResolved() {
        stream.merged(1, "g1", "mood", "spam");
        stream.scored(1, "g1", "spam", 360);
        stream.scored(1, "g1", "mood", 360);
        stream.merged(2, "g2", "mood", "spam");
        stream.scored(2, "g2", "spam", 330);
        stream.scored(2, "g2", "mood", 360);
        assertThat(alerts()).extracting(RegressionAlert::getTask).contains("spam");

        stream.merged(3, "g3", "mood");
        stream.scored(3, "g3", "mood", 360);

        assertThat(alerts())
                .extracting(RegressionAlert::getTask, RegressionAlert::getState)
                .contains(tuple("spam", AlertState.RESOLVED));
    }

    @Test
    void resultsMayComeInAnyOrderAndTwice() {
        stream.merged(1, "g1", "mood", "spam");
        stream.scored(1, "g1", "spam", 380);
        stream.scored(1, "g1", "spam", 100);
        stream.scored(1, "g1", "mood", 304);
        stream.scored(1, "g1", "mood", 100);
        stream.scored(1, "g1", "spam", 100);

        assertThat(evaluated())
                .singleElement()
                .satisfies(it -> assertThat(it.getAnp()).isCloseTo(0.9, within(1e-12)));
        assertThat(promoted()).hasSize(1);
    }

    @Test
    void aScoreReplacesAFailureThatCameFirst() {
        stream.merged(1, "g1", "mood", "spam");
        stream.send(Topic.TASK_EVALUATIONS, failed(1, "g1", "spam"));
        stream.scored(1, "g1", "spam", 380);
        stream.send(Topic.TASK_EVALUATIONS, failed(1, "g1", "spam"));
        stream.scored(1, "g1", "mood", 304);

        assertThat(evaluated().getFirst().getVerdict()).isEqualTo(Verdict.PASS);
    }

    @Test
    void resultsMayComeBeforeTheirGeneration() {
        stream.scored(1, "g1", "spam", 380);
        stream.merged(1, "g1", "mood", "spam");

        assertThat(stream.read(Topic.EVALUATION_REQUESTS, EvaluationRequested.class))
                .extracting(EvaluationRequested::getTask)
                .containsExactly("mood");
        stream.scored(1, "g1", "mood", 304);
        assertThat(evaluated()).hasSize(1);
    }

    @Test
    void resultsOfAnotherGenerationOfTheSameNumberAreNotMixedIn() {
        stream.merged(1, "g1", "spam");
        stream.scored(1, "other", "spam", 10);

        assertThat(evaluated()).isEmpty();
        stream.scored(1, "g1", "spam", 380);
        assertThat(evaluated()).hasSize(1);
    }

    @Test
    void anOlderGenerationFinishedLateIsJudgedButNeitherPromotedNorAlerted() {
        judge(1, "g1", 360);
        stream.merged(2, "g2", "spam");
        judge(3, "g3", 365);
        assertThat(promoted()).hasSize(2);

        stream.scored(2, "g2", "spam", 300);

        assertThat(evaluated())
                .extracting(GenerationEvaluated::getNumber, GenerationEvaluated::getVerdict)
                .containsExactly(
                        tuple(1L, Verdict.PASS),
                        tuple(3L, Verdict.PASS),
                        tuple(2L, Verdict.REGRESSED));
        assertThat(promoted()).isEmpty();
        assertThat(alerts()).isEmpty();
    }

    @Test
    void anOlderGenerationThatPassesLateDoesNotReplaceANewerChampion() {
        judge(1, "g1", 360);
        stream.merged(2, "g2", "spam");
        judge(3, "g3", 365);
        stream.scored(2, "g2", "spam", 365);

        assertThat(promoted()).extracting(GenerationPromoted::getNumber).containsExactly(1L, 3L);
    }

    @Test
    void aJudgedGenerationSentAgainYieldsNothing() {
        judge(1, "g1", 360);
        stream.records(Topic.EVALUATION_REQUESTS);
        evaluated();
        promoted();

        judge(1, "g1", 360);

        assertThat(stream.records(Topic.EVALUATION_REQUESTS)).isEmpty();
        assertThat(evaluated()).isEmpty();
        assertThat(promoted()).isEmpty();
    }

    @Test
    void theSameContentUnderALaterNumberIsJudgedAnew() {
        judge(1, "g1", 360);
        judge(2, "g2", 300);
        judge(3, "g1", 360);

        assertThat(evaluated())
                .extracting(GenerationEvaluated::getVerdict)
                .containsExactly(Verdict.PASS, Verdict.REGRESSED, Verdict.PASS);
    }

    @Test
    void aFailedEvaluationIsInconclusiveAndSaysSo() {
        judge(1, "g1", 360);
        stream.merged(2, "g2", "spam");
        stream.send(Topic.TASK_EVALUATIONS, failed(2, "g2", "spam"));

        GenerationEvaluated second = evaluated().getLast();
        assertThat(second.getVerdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(second.getTasks().getFirst().getFailureCode()).isEqualTo("CORRUPT_CHECKPOINT");
        assertThat(second.getSentence()).contains("it is torn");
        assertThat(second.getAnp()).isNull();
        assertThat(promoted()).hasSize(1);
    }

    @Test
    void aResultWhoseBitsDoNotFitItsItemsCountsAsAFailure() {
        judge(1, "g1", 360);
        stream.merged(2, "g2", "spam");
        var odd = result(2, "g2", "spam", 360);
        stream.send(
                Topic.TASK_EVALUATIONS,
                dev.tributary.events.TaskEvaluated.newBuilder(odd).setItems(7).build());

        assertThat(evaluated().getLast().getTasks().getFirst().getFailureCode())
                .isEqualTo("UNDECODABLE_RECORD");
    }

    @Test
    void aGenerationWhoseResultsNeverComeIsGivenUpWhenTooManyWait() {
        judge(1, "g1", 360);
        for (int number = 2; number <= PoolTally.KEPT + 2; number++) {
            stream.merged(number, "g" + number, "spam");
        }

        GenerationEvaluated givenUp = evaluated().getLast();
        assertThat(givenUp.getNumber()).isEqualTo(2);
        assertThat(givenUp.getVerdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(givenUp.getTasks().getFirst().getFailureCode()).isEqualTo("EVALUATION_FAILED");
        assertThat(stream.stored().open()).hasSize(PoolTally.KEPT);
    }

    @Test
    void onlyTheNewestJudgedGenerationsAreRemembered() {
        for (int number = 1; number <= PoolTally.KEPT + 5; number++) {
            judge(number, "g" + number, 360);
        }
        assertThat(stream.stored().judged()).hasSize(PoolTally.KEPT);
        stream.records(Topic.EVALUATION_REQUESTS);

        judge(1, "g1", 360);

        assertThat(stream.records(Topic.EVALUATION_REQUESTS)).isEmpty();
        assertThat(evaluated()).hasSize(PoolTally.KEPT + 5);
    }

    @Test
    void aChampionMadeByHandIsTheOneComparedWith() {
        judge(1, "g1", 300);
        judge(2, "g2", 360);
        stream.send(Topic.PROMOTIONS, byHand(1, "g1"));
        promoted();

        judge(3, "g3", 301);

        GenerationEvaluated third = evaluated().getLast();
        assertThat(third.getVerdict()).isEqualTo(Verdict.PASS);
        assertThat(third.getChampionNumber()).isEqualTo(1);
        assertThat(promoted())
                .extracting(GenerationPromoted::getNumber, GenerationPromoted::getPreviousNumber)
                .containsExactly(tuple(3L, 1L));
    }

    @Test
    void aChampionMadeByHandWhoseScoresAreForgottenLeavesTheVerdictOpen() {
        for (int number = 1; number <= PoolTally.KEPT + 5; number++) {
            judge(number, "g" + number, 360);
        }
        stream.send(Topic.PROMOTIONS, byHand(1, "g1"));
        promoted();

        judge(99, "g99", 360);

        GenerationEvaluated last = evaluated().getLast();
        assertThat(last.getVerdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(last.getSentence()).contains("promoted by hand");
        assertThat(promoted()).isEmpty();
    }

    @Test
    void aPoolIsJudgedByItsOwnPolicy() {
        stream.send(Topic.POOL_EVENTS, configured(new VerdictPolicy(0.01, 0.30, 0.5)));
        judge(1, "g1", 360);
        judge(2, "g2", 300);

        assertThat(evaluated().getLast().getVerdict()).isEqualTo(Verdict.PASS);
    }

    @Test
    void aPolicyThatIsNoneIsNotTakenOver() {
        stream.send(Topic.POOL_EVENTS, configured(new VerdictPolicy(0.0, 5.0, -1.0)));
        judge(1, "g1", 360);
        judge(2, "g2", 300);

        assertThat(evaluated().getLast().getVerdict()).isEqualTo(Verdict.REGRESSED);
    }

    @Test
    void aRecordUnderAnotherKeyThanItsPoolIsSetAside() {
        stream.send(Topic.GENERATIONS, "letters", generation(1, "g1", "spam"));

        assertThat(stream.records(Topic.EVALUATION_REQUESTS)).isEmpty();
        DeadLetter letter = stream.read(Topic.DEAD_LETTERS, DeadLetter.class).getFirst();
        assertThat(letter.getCode()).isEqualTo("MISROUTED_RECORD");
        assertThat(letter.getSentences().getFirst()).contains("'letters'").contains("'mail'");
    }

    @Test
    void aRecordThatIsNoEventIsSetAsideByteForByteAndTheStreamGoesOn() {
        byte[] key = {109, 97, 105, 108};
        byte[] value = {1, 2, 3};
        RecordHeaders headers = new RecordHeaders();
        headers.add("who", new byte[] {7});
        stream.sendBytes(Topic.GENERATIONS, new TestRecord<>(key, value, headers));
        judge(1, "g1", 360);

        TestRecord<byte[], byte[]> asItCame = stream.bytes(Topic.GENERATIONS_DLQ).getFirst();
        assertThat(asItCame.key()).isEqualTo(key);
        assertThat(asItCame.value()).isEqualTo(value);
        assertThat(asItCame.headers().lastHeader("who").value()).containsExactly(7);
        assertThat(EventHeaders.text(asItCame.headers(), "tributary-error-code"))
                .hasValue("UNDECODABLE_RECORD");
        assertThat(EventHeaders.text(asItCame.headers(), "kafka_dlt-original-topic"))
                .hasValue("tributary.generations");
        DeadLetter letter = stream.read(Topic.DEAD_LETTERS, DeadLetter.class).getFirst();
        assertThat(letter.getPool()).isEqualTo("mail");
        assertThat(letter.getTopic()).isEqualTo("tributary.generations");
        assertThat(evaluated()).hasSize(1);
    }

    @Test
    void anUndecodableResultIsReportedThoughItsTopicHasNoQueue() {
        stream.sendBytes(Topic.TASK_EVALUATIONS, new TestRecord<>(new byte[] {109}, new byte[9]));

        DeadLetter letter = stream.read(Topic.DEAD_LETTERS, DeadLetter.class).getFirst();
        assertThat(letter.getTopic()).isEqualTo("tributary.task-evaluations");
    }

    @Test
    void anUndecodablePoolEventIsLeftToTheMergeWorker() {
        stream.sendBytes(Topic.POOL_EVENTS, new TestRecord<>(new byte[] {109}, new byte[] {1}));

        assertThat(stream.records(Topic.DEAD_LETTERS)).isEmpty();
        assertThat(stream.bytes(Topic.POOL_EVENTS_DLQ)).isEmpty();
    }

    @Test
    void theObserverIsToldHowPoolsStandUntilTheyAreHandedOver() {
        judge(1, "g1", 360);
        assertThat(stream.seen)
                .hasEntrySatisfying(
                        POOL,
                        tally ->
                                assertThat(tally.newest())
                                        .get()
                                        .extracting(JudgedGeneration::number)
                                        .isEqualTo(1L));

        stream.close();

        assertThat(stream.seen).isEmpty();
    }

    private void judge(long number, String id, int right) {
        stream.merged(number, id, "spam");
        stream.scored(number, id, "spam", right);
    }

    private static GenerationPromoted byHand(long number, String id) {
        return GenerationPromoted.newBuilder()
                .setPool(POOL)
                .setNumber(number)
                .setGenerationId(id)
                .setArtifact(StreamUnderTest.reference("generations/" + id))
                .setReason(PromotionReason.MANUAL)
                .setPromotedAt(StreamUnderTest.NOW)
                .build();
    }

    private static PoolConfigured configured(VerdictPolicy policy) {
        return PoolConfigured.newBuilder()
                .setEventId("configured")
                .setPool(POOL)
                .setBase(StreamUnderTest.reference("checkpoints/base"))
                .setMethod("divmerge")
                .setVerdictPolicy(policy)
                .setConfiguredAt(StreamUnderTest.NOW)
                .build();
    }

    private List<GenerationEvaluated> evaluated() {
        return stream.read(Topic.EVALUATIONS, GenerationEvaluated.class);
    }

    private List<GenerationPromoted> promoted() {
        return stream.read(Topic.PROMOTIONS, GenerationPromoted.class);
    }

    private List<RegressionAlert> alerts() {
        return stream.read(Topic.ALERTS, RegressionAlert.class);
    }
}
