package dev.tributary.merge;

import static dev.tributary.merge.Samples.configured;
import static dev.tributary.merge.Samples.configuredPool;
import static dev.tributary.merge.Samples.digest;
import static dev.tributary.merge.Samples.generation;
import static dev.tributary.merge.Samples.publish;
import static dev.tributary.merge.Samples.published;
import static dev.tributary.merge.Samples.wish;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class WishTest {
    @Test
    void aPoolWithoutConfigurationOrExpertsWantsNothing() {
        assertThat(Wish.of(PoolState.unknown("pool"))).isEmpty();
        assertThat(Wish.of(configuredPool("pool"))).isEmpty();
    }

    @Test
    void membersComeInOrderOfTaskHoweverTheyArrived() {
        PoolState one = publish(publish(configuredPool("p"), "1", "b", "b1"), "2", "a", "a1");
        PoolState other = publish(publish(configuredPool("p"), "7", "a", "a1"), "8", "b", "b1");

        assertThat(wish(one).tasks()).containsExactly("a", "b");
        assertThat(wish(one).id()).isEqualTo(wish(other).id());
    }

    @Test
    void theSameRequestOfAnotherPoolIsTheSameRequest() {
        PoolState one = publish(configuredPool("one"), "1", "a", "a1");
        PoolState two = publish(configuredPool("two"), "9", "a", "a1");

        assertThat(wish(one).id()).isEqualTo(wish(two).id());
        assertThat(wish(one).storePath()).isEqualTo(wish(two).storePath());
    }

    @Test
    void everythingThatDeterminesTheWeightsDeterminesTheId() {
        PoolState state = publish(configuredPool("p"), "1", "a", "a1");
        Set<?> ids =
                Set.of(
                        wish(state).id(),
                        wish(publish(state, "2", "a", "a2")).id(),
                        wish(publish(state, "2", "b", "a1")).id(),
                        wish(state.with(configured("p", "ties"))).id(),
                        wish(state.with(configured("e", "p", "divmerge", Map.of("seed", "2"))))
                                .id(),
                        wish(configuredPool("p").with(published("1", "p", "a", "a1"), digest("x")))
                                .id());

        assertThat(ids).hasSize(6);
    }

    @Test
    void calibrationSetsDoNotMatterToAMethodThatDoesNotUseThem() {
        PoolState empty = PoolState.unknown("p").with(configured("p", "ties"));

        Wish one = wish(empty.with(published("1", "p", "a", "a1"), digest("one calibration")));
        Wish other = wish(empty.with(published("1", "p", "a", "a1"), digest("another")));

        assertThat(one.id()).isEqualTo(other.id());
    }

    @Test
    void whatThePoolAlreadyHasOrWhatFailedForGoodIsNotNew() {
        PoolState state = publish(configuredPool("p"), "1", "a", "a1");
        Wish wish = wish(state);

        assertThat(wish.isNewTo(state)).isTrue();
        assertThat(wish.isNewTo(state.with(generation(1, wish)))).isFalse();
        assertThat(wish.isNewTo(state.withFailed(wish.id()))).isFalse();
    }
}
