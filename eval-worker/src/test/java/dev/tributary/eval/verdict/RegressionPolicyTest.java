package dev.tributary.eval.verdict;

import static dev.tributary.eval.verdict.Results.items;
import static dev.tributary.eval.verdict.Results.scored;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.eval.verdict.TaskComparison.Compared;
import dev.tributary.eval.verdict.TaskComparison.NewTask;
import dev.tributary.eval.verdict.TaskComparison.NotScored;
import dev.tributary.eval.verdict.TaskComparison.OtherItems;
import dev.tributary.eval.verdict.TaskResult.Failed;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class RegressionPolicyTest {

    private static final RegressionPolicy POLICY = new RegressionPolicy(0.01, 0.02, 0.15);

    private static final TaskResult SPAM = scored("spam", items(500).correct(0, 450));
    private static final TaskResult MOOD = scored("mood", items(500).correct(0, 400));
    private static final Map<String, TaskResult> CHAMPION = Map.of("spam", SPAM, "mood", MOOD);

    @Test
    void theFirstGenerationPasses() {
        Judgement judgement = POLICY.judge(List.of(SPAM, MOOD), Map.of());

        assertThat(judgement.verdict()).isEqualTo(Verdict.PASS);
        assertThat(judgement.first()).isTrue();
        assertThat(judgement.pooled()).isEmpty();
        assertThat(judgement.tasks())
                .extracting(TaskComparison::task)
                .containsExactly("mood", "spam");
        assertThat(judgement.tasks()).allMatch(task -> task.standing() instanceof NewTask);
        assertThat(judgement.sentence()).contains("first").contains("nothing to compare with");
    }

    @Test
    void theSameAnswersPass() {
        Judgement judgement = POLICY.judge(List.of(SPAM, MOOD), CHAMPION);

        assertThat(judgement.verdict()).isEqualTo(Verdict.PASS);
        assertThat(judgement.first()).isFalse();
        assertThat(judgement.sentence())
                .contains("0 lost and 0 gained of 1000 items")
                .contains("p = 0.50")
                .contains("would have shown");
    }

    @Test
    void aTaskThatFellIsARegressionEvenWhenTheRestHolds() {
        TaskResult fallen = scored("spam", items(500).correct(40, 450));

        Judgement judgement = POLICY.judge(List.of(fallen, MOOD), CHAMPION);

        assertThat(judgement.verdict()).isEqualTo(Verdict.REGRESSED);
        assertThat(judgement.tasks())
                .filteredOn(TaskComparison::regressed)
                .extracting(TaskComparison::task)
                .containsExactly("spam");
        Compared spam = (Compared) judgement.tasks().get(1).standing();
        assertThat(spam.outcome()).isEqualTo(new PairedOutcome(500, 40, 0));
        assertThat(spam.championScore()).isEqualTo(0.9);
        assertThat(spam.pValue()).isCloseTo(Math.pow(0.5, 41), within(1e-20));
        assertThat(spam.adjustedPValue()).isCloseTo(Math.pow(0.5, 40), within(1e-20));
        assertThat(judgement.sentence())
                .contains("spam: 40 lost and 0 gained of 500 items")
                .contains("drop 0.080");
    }

    @Test
    void aFallOfEverythingIsARegressionThoughNoTaskShowsItAlone() {
        Map<String, TaskResult> champion = Results.tasks(10, items(100).correct(0, 80));
        List<TaskResult> fallen =
                List.copyOf(Results.tasks(10, items(100).correct(4, 80)).values());

        Judgement judgement = POLICY.judge(fallen, champion);

        assertThat(judgement.tasks()).noneMatch(TaskComparison::regressed);
        assertThat(judgement.verdict()).isEqualTo(Verdict.REGRESSED);
        assertThat(judgement.pooled()).get().matches(Judgement.Pooled::regressed);
        assertThat(judgement.sentence()).contains("As a whole: 40 lost and 0 gained of 1000");
    }

    @Test
    void aSignificantFallWithinTheToleratedDropPasses() {
        TaskResult slightlyLess = scored("spam", items(500).correct(10, 450));

        Judgement judgement = POLICY.judge(List.of(slightlyLess), Map.of("spam", SPAM));

        Compared spam = (Compared) judgement.tasks().getFirst().standing();
        assertThat(spam.pValue()).isLessThan(0.001);
        assertThat(spam.outcome().drop()).isEqualTo(0.02);
        assertThat(judgement.verdict()).isEqualTo(Verdict.PASS);
    }

    @Test
    void tooFewItemsAreInconclusive() {
        TaskResult few = scored("spam", items(25).correct(0, 20));

        Judgement judgement = POLICY.judge(List.of(few, MOOD), Map.of("spam", few, "mood", MOOD));

        assertThat(judgement.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(judgement.sentence()).contains("0.15").contains("spam").doesNotContain("mood");
    }

    @Test
    void aFailedEvaluationIsInconclusive() {
        TaskResult failed = new Failed("spam", "CORRUPT_CHECKPOINT", "it is torn");

        Judgement judgement = POLICY.judge(List.of(failed, MOOD), CHAMPION);

        assertThat(judgement.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(judgement.tasks().get(1).standing())
                .isEqualTo(new NotScored("CORRUPT_CHECKPOINT", "it is torn"));
        assertThat(judgement.sentence()).contains("CORRUPT_CHECKPOINT").contains("it is torn");
    }

    @Test
    void aFailedEvaluationOfTheFirstGenerationIsInconclusive() {
        TaskResult failed = new Failed("spam", "CORRUPT_CHECKPOINT", "it is torn");

        assertThat(POLICY.judge(List.of(failed, MOOD), Map.of()).verdict())
                .isEqualTo(Verdict.INCONCLUSIVE);
    }

    @Test
    void otherValidationItemsAreInconclusive() {
        TaskResult other = scored("spam", items(500).named("sha256:other").correct(0, 450));

        Judgement judgement = POLICY.judge(List.of(other, MOOD), CHAMPION);

        assertThat(judgement.verdict()).isEqualTo(Verdict.INCONCLUSIVE);
        assertThat(judgement.tasks().get(1).standing()).isInstanceOf(OtherItems.class);
        assertThat(judgement.pooled()).get().extracting(p -> p.outcome().items()).isEqualTo(500);
        assertThat(judgement.sentence()).contains("other items");
    }

    @Test
    void aRegressionIsSaidEvenWhenAnotherTaskIsUnknown() {
        TaskResult fallen = scored("spam", items(500).correct(60, 450));
        TaskResult failed = new Failed("mood", "EVALUATION_FAILED", "no memory");

        assertThat(POLICY.judge(List.of(fallen, failed), CHAMPION).verdict())
                .isEqualTo(Verdict.REGRESSED);
    }

    @Test
    void aNewTaskIsNotComparedAndDoesNotKeepTheVerdictOpen() {
        TaskResult topic = scored("topic", items(10).correct(0, 3));

        Judgement judgement = POLICY.judge(List.of(SPAM, MOOD, topic), CHAMPION);

        assertThat(judgement.verdict()).isEqualTo(Verdict.PASS);
        assertThat(judgement.tasks().get(2).standing()).isEqualTo(new NewTask());
        assertThat(judgement.pooled()).get().extracting(p -> p.outcome().items()).isEqualTo(1000);
    }

    @Test
    void aPoolWithOnlyNewTasksStartsAfresh() {
        TaskResult topic = scored("topic", items(500).correct(0, 300));

        Judgement judgement = POLICY.judge(List.of(topic), CHAMPION);

        assertThat(judgement.verdict()).isEqualTo(Verdict.PASS);
        assertThat(judgement.first()).isTrue();
    }

    @Test
    void theSmallestDetectableDropIsStatedForATaskThatFallsAlone() {
        Judgement judgement = POLICY.judge(List.of(SPAM, MOOD), CHAMPION);

        Compared spam = (Compared) judgement.tasks().get(1).standing();
        assertThat(spam.smallestDetectableDrop())
                .isEqualTo(new DetectableDrop(0.0025, 0.02, 0.8).of(500, 0.5 / 501));
        assertThat(judgement.pooled().orElseThrow().smallestDetectableDrop())
                .isEqualTo(new DetectableDrop(0.005, 0.02, 0.8).of(1000, 0.5 / 1001));
    }

    @Test
    void theMeanRetentionIsTheNormalisedAveragePerformance() {
        TaskResult spam = scored("spam", items(500).correct(0, 450).expertScore(0.9));
        TaskResult mood = scored("mood", items(500).correct(0, 400).expertScore(1.0));
        TaskResult odd = scored("odd", items(500).correct(0, 400).expertScore(-0.1));

        Judgement judgement =
                POLICY.judge(
                        List.of(spam, mood, odd, new Failed("gone", "EVALUATION_FAILED", "?")),
                        Map.of());

        assertThat(judgement.anp()).hasValueCloseTo(0.9, within(1e-12));
    }

    @Test
    void refusesWhatIsNoPolicy() {
        assertThatThrownBy(() -> new RegressionPolicy(0, 0.02, 0.15))
                .hasMessageContaining("significance level 0.0");
        assertThatThrownBy(() -> new RegressionPolicy(0.01, 1, 0.15))
                .hasMessageContaining("tolerated drop 1.0");
        assertThatThrownBy(() -> new RegressionPolicy(0.01, 0.02, Double.NaN))
                .hasMessageContaining("NaN");
    }
}
