package dev.tributary.eval.verdict;

import static dev.tributary.eval.verdict.Results.items;
import static dev.tributary.eval.verdict.Results.scored;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.eval.verdict.Alerts.Change;
import dev.tributary.eval.verdict.TaskResult.Failed;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AlertsTest {

    private static final RegressionPolicy POLICY = new RegressionPolicy(0.01, 0.02, 0.15);
    private static final TaskResult SPAM = scored("spam", items(500).correct(0, 450));
    private static final TaskResult MOOD = scored("mood", items(5000).correct(0, 4000));
    private static final TaskResult SPAM_FELL = scored("spam", items(500).correct(60, 450));
    private static final TaskResult ALL_FELL = scored("mood", items(5000).correct(600, 4000));
    private static final Map<String, TaskResult> CHAMPION = Map.of("spam", SPAM, "mood", MOOD);

    @Test
    void aTaskThatFellFires() {
        List<Change> changes = changes(Set.of(), SPAM_FELL, MOOD);

        assertThat(changes).extracting(Change::task).containsExactly("spam");
        assertThat(changes.getFirst().firing()).isTrue();
        assertThat(changes.getFirst().sentence()).contains("60 lost and 0 gained of 500");
    }

    @Test
    void anAlertThatGoesOnHoldingIsSilent() {
        assertThat(changes(Set.of("spam"), SPAM_FELL, MOOD)).isEmpty();
    }

    @Test
    void aTaskThatIsWellAgainIsResolved() {
        List<Change> changes = changes(Set.of("spam"), SPAM, MOOD);

        assertThat(changes).extracting(Change::task).containsExactly("spam");
        assertThat(changes.getFirst().firing()).isFalse();
    }

    @Test
    void aTaskThatLeftThePoolIsResolved() {
        List<Change> changes = changes(Set.of("spam"), MOOD);

        assertThat(changes).containsExactly(new Change("spam", false, "spam: left the pool."));
    }

    @Test
    void anAlertStaysWhileNothingIsKnownOfItsTask() {
        TaskResult failed = new Failed("spam", "EVALUATION_FAILED", "no memory");
        TaskResult other = scored("spam", items(500).named("sha256:other").correct(0, 450));

        assertThat(changes(Set.of("spam"), failed, MOOD)).isEmpty();
        assertThat(changes(Set.of("spam"), other, MOOD)).isEmpty();
    }

    @Test
    void aFallOfEverythingFiresForThePoolAsWell() {
        List<Change> changes = changes(Set.of(), SPAM, ALL_FELL);

        assertThat(changes).extracting(Change::task).containsExactly(Alerts.POOL, "mood");
        assertThat(changes).allMatch(Change::firing);
    }

    @Test
    void thePoolIsWellAgainWhenItsItemsAre() {
        List<Change> changes = changes(Set.of(Alerts.POOL, "mood"), SPAM, MOOD);

        assertThat(changes).extracting(Change::task).containsExactly(Alerts.POOL, "mood");
        assertThat(changes).noneMatch(Change::firing);
    }

    @Test
    void thePoolAlertStaysWhileNothingCanBePaired() {
        TaskResult spam = new Failed("spam", "EVALUATION_FAILED", "no memory");
        TaskResult mood = new Failed("mood", "EVALUATION_FAILED", "no memory");

        assertThat(changes(Set.of(Alerts.POOL), spam, mood)).isEmpty();
    }

    @Test
    void aPoolThatStartsAfreshHasNothingFiring() {
        Judgement judgement = POLICY.judge(List.of(SPAM), Map.of());

        assertThat(Alerts.changes(Set.of(Alerts.POOL, "spam"), judgement))
                .hasSize(2)
                .noneMatch(Change::firing);
    }

    private static List<Change> changes(Set<String> firing, TaskResult... challenger) {
        return Alerts.changes(firing, POLICY.judge(List.of(challenger), CHAMPION));
    }
}
