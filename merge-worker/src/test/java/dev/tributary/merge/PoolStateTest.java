package dev.tributary.merge;

import static dev.tributary.merge.Samples.configuredPool;
import static dev.tributary.merge.Samples.digest;
import static dev.tributary.merge.Samples.publish;
import static dev.tributary.merge.Samples.retired;
import static dev.tributary.merge.Samples.wish;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class PoolStateTest {
    private final PoolState empty = configuredPool("pool");

    @Test
    void aNewerCheckpointOfATaskReplacesTheOlder() {
        PoolState state = publish(publish(empty, "1", "mail", "mail v1"), "2", "mail", "mail v2");

        assertThat(inForce(state)).containsExactly(digest("mail v2").value());
        assertThat(state.checkpoints("mail")).hasSize(2);
    }

    @Test
    void aWithdrawnCheckpointGivesWayToTheOneBefore() {
        PoolState state = publish(publish(empty, "1", "mail", "mail v1"), "2", "mail", "mail v2");

        PoolState after = state.with(retired("pool", "mail", "mail v2"));

        assertThat(inForce(after)).containsExactly(digest("mail v1").value());
    }

    @Test
    void aWithdrawnDigestStaysWithdrawnWhateverHappensNext() {
        PoolState state =
                publish(empty, "1", "mail", "mail v1")
                        .with(retired("pool", "mail", "mail v1"))
                        .with(Samples.configured("pool", "ties"));

        PoolState after = publish(state, "2", "news", "news v1");

        assertThat(after.withdrawn()).containsExactly(digest("mail v1"));
        assertThat(inForce(after)).containsExactly(digest("news v1").value());
    }

    @Test
    void aWithdrawalThatComesFirstIsRemembered() {
        PoolState state = empty.with(retired("pool", "mail", "not there yet"));

        assertThat(state.withdrawn()).containsExactly(digest("not there yet"));
    }

    @Test
    void retiringAnExpertTakesAllItsCheckpointsAndKeepsItsName() {
        PoolState state = publish(publish(empty, "1", "mail", "mail v1"), "2", "news", "news v1");

        PoolState after = state.with(retired("pool", "mail", null));

        assertThat(inForce(after)).containsExactly(digest("news v1").value());
        assertThat(after.experts()).containsKey("mail");
    }

    @Test
    void theSameEventAgainChangesNothing() {
        PoolState state = publish(publish(empty, "1", "mail", "mail v1"), "2", "mail", "mail v2");

        assertThat(publish(state, "1", "mail", "mail v1")).isEqualTo(state);
    }

    @Test
    void anEventSentAgainAfterItsExpertWasRetiredDoesNotBringItBack() {
        PoolState state =
                publish(publish(empty, "1", "mail", "mail v1"), "2", "news", "news v1")
                        .with(retired("pool", "mail", null));

        assertThat(publish(state, "1", "mail", "mail v1")).isEqualTo(state);
    }

    @Test
    void aRetirementSentAgainDoesNotTakeTheNextExpert() {
        PoolState state =
                publish(
                        publish(empty, "1", "mail", "mail v1").with(retired("pool", "mail", null)),
                        "2",
                        "mail",
                        "mail v2");

        assertThat(state.with(retired("pool", "mail", null))).isEqualTo(state);
    }

    @Test
    void aConfigurationSentAgainDoesNotComeBackAfterTheNext() {
        PoolState state = empty.with(Samples.configured("pool", "ties"));

        assertThat(state.with(Samples.configured("pool", "divmerge"))).isEqualTo(state);
    }

    @Test
    void onlySoManyEventsAreRemembered() {
        PoolState state =
                publish(empty, "1", "mail", "mail v1").with(retired("pool", "mail", null));
        for (int i = 0; i < 2 * PoolState.REMEMBERED_EVENTS; i++) {
            state = publish(state, "event " + i, "news", "news v" + i);
        }

        assertThat(state.takenIn()).hasSize(PoolState.REMEMBERED_EVENTS);
        assertThat(state.takenIn().getLast())
                .isEqualTo("event " + (2 * PoolState.REMEMBERED_EVENTS - 1));
    }

    @Test
    void anOldCheckpointPublishedAgainIsInForceAgain() {
        PoolState state = publish(publish(empty, "1", "mail", "mail v1"), "2", "mail", "mail v2");

        PoolState after = publish(state, "3", "mail", "mail v1");

        assertThat(inForce(after)).containsExactly(digest("mail v1").value());
        assertThat(after.checkpoints("mail")).hasSize(2);
    }

    @Test
    void onlySoManyCheckpointsAreRemembered() {
        PoolState state = empty;
        for (int i = 0; i < 20; i++) {
            state = publish(state, "event " + i, "mail", "mail v" + i);
        }

        assertThat(state.checkpoints("mail")).hasSize(PoolState.REMEMBERED_CHECKPOINTS);
        assertThat(inForce(state)).containsExactly(digest("mail v19").value());
    }

    @Test
    void aLargePoolRemembersFewerCheckpointsOfEachTaskButTheOneBeforeAlways() {
        PoolState state = empty;
        for (int version = 0; version < 9; version++) {
            for (int task = 0; task < 20; task++) {
                String name = "task %d v%d".formatted(task, version);
                state = publish(state, "event of " + name, "task-" + task, name);
            }
        }

        PoolState full = state;
        assertThat(full.experts().keySet())
                .hasSize(20)
                .allSatisfy(task ->
                        assertThat(full.checkpoints(task)).hasSize(PoolState.LEAST_REMEMBERED));
        assertThat(inForce(full.with(retired("pool", "task-3", "task 3 v8"))))
                .contains(digest("task 3 v7").value());
    }

    @Test
    void publishingAgainAllowsAFailedRequestToBeTriedAgain() {
        PoolState wanted = publish(empty, "1", "mail", "mail v1");
        PoolState failed = wanted.withFailed(wish(wanted).id());

        PoolState again = publish(failed, "2", "mail", "mail v1");

        assertThat(wish(again).isNewTo(again)).isTrue();
    }

    @Test
    void answersAreCountedAndTheirOffsetNeverGoesBack() {
        PoolState state = empty.answered(7).answered(5);

        assertThat(state.revision()).isEqualTo(2);
        assertThat(state.answeredThrough()).isEqualTo(7);
        assertThat(state.says(empty)).isTrue();
    }

    private static List<String> inForce(PoolState state) {
        return wish(state).members().stream()
                .map(member -> member.accepted().checkpoint().digest().value())
                .toList();
    }
}
