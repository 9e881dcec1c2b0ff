package dev.tributary.merge;

import static dev.tributary.merge.Samples.accepted;
import static dev.tributary.merge.Samples.configuredPool;
import static dev.tributary.merge.Samples.generation;
import static dev.tributary.merge.Samples.publish;
import static dev.tributary.merge.Samples.published;
import static dev.tributary.merge.Samples.refused;
import static dev.tributary.merge.Samples.states;
import static dev.tributary.merge.Samples.wish;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class AgendaTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final OpenRecords NOTHING = OpenRecords.from(0);

    private final PoolState one = publish(configuredPool("one"), "1", "a", "a1");
    private final PoolState two = publish(configuredPool("two"), "2", "a", "a2");
    private final OpenRecord ofOne = accepted(0, published("1", "one", "a", "a1"));
    private final OpenRecord ofTwo = accepted(1, published("2", "two", "a", "a2"));

    @Test
    void nothingOpenAndNothingWantedIsIdle() {
        assertThat(next(NOTHING, states(), Map.of())).isEqualTo(new Agenda.Idle());
    }

    @Test
    void theWishIsMergedThatHasWaitedLongest() {
        OpenRecords open = NOTHING.with(ofOne).with(ofTwo);

        assertThat(next(open, states(one, two), Map.of())).isEqualTo(new Agenda.Merge(wish(one)));
    }

    @Test
    void allThatIsQueuedForAPoolIsOneMerge() {
        PoolState later = publish(publish(one, "3", "b", "b1"), "4", "a", "a3");
        OpenRecords open =
                NOTHING.with(ofOne)
                        .with(accepted(1, published("3", "one", "b", "b1")))
                        .with(accepted(2, published("4", "one", "a", "a3")));

        assertThat(next(open, states(later), Map.of())).isEqualTo(new Agenda.Merge(wish(later)));
    }

    @Test
    void whatNeedsNoMergeIsAnsweredFirst() {
        PoolState merged = two.with(generation(1, wish(two)));
        OpenRecords open = NOTHING.with(ofOne).with(ofTwo);

        assertThat(next(open, states(one, merged), Map.of()))
                .isEqualTo(new Agenda.Settle(Set.of("two")));
    }

    @Test
    void aRecordWithoutAPoolAtTheHeadIsAnsweredAtOnce() {
        OpenRecords open = NOTHING.with(refused(0, null)).with(ofTwo);

        assertThat(next(open, states(two), Map.of())).isEqualTo(new Agenda.Settle(Set.of()));
    }

    @Test
    void aPoolInTroubleDoesNotHoldUpAnother() {
        OpenRecords open = NOTHING.with(ofOne).with(ofTwo);
        Map<String, Instant> retryAt = Map.of("one", NOW.plusSeconds(60));

        assertThat(next(open, states(one, two), retryAt)).isEqualTo(new Agenda.Merge(wish(two)));
    }

    @Test
    void onlyPoolsInTroubleMeansWaitingForTheFirstOfThem() {
        OpenRecords open = NOTHING.with(ofOne).with(ofTwo);
        Instant soon = NOW.plusSeconds(5);
        Map<String, Instant> retryAt = Map.of("one", NOW.plusSeconds(60), "two", soon);

        assertThat(next(open, states(one, two), retryAt)).isEqualTo(new Agenda.WaitUntil(soon));
    }

    @Test
    void aRetryIsDueAtItsMoment() {
        assertThat(next(NOTHING.with(ofOne), states(one), Map.of("one", NOW)))
                .isEqualTo(new Agenda.Merge(wish(one)));
    }

    @Test
    void aWishThatOutlivedItsEventsIsMergedAfterARestart() {
        assertThat(next(NOTHING, states(one), Map.of())).isEqualTo(new Agenda.Merge(wish(one)));
    }

    private static Agenda next(
            OpenRecords open, Map<String, PoolState> states, Map<String, Instant> retryAt) {
        return Agenda.next(open, states, retryAt, NOW);
    }
}
