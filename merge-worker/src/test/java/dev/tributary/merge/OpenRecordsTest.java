package dev.tributary.merge;

import static dev.tributary.merge.Samples.accepted;
import static dev.tributary.merge.Samples.published;
import static dev.tributary.merge.Samples.refused;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class OpenRecordsTest {
    private final OpenRecord first = accepted(3, published("1", "one", "a", "a1"));
    private final OpenRecord second = accepted(4, published("2", "two", "a", "a1"));
    private final OpenRecord third = accepted(6, published("3", "one", "b", "b1"));

    @Test
    void noOffsetPassesARecordThatIsStillOpen() {
        OpenRecords open = OpenRecords.from(3).with(first).with(second).with(third);

        OpenRecords.Answered answered = open.answer(Set.of("two"));

        assertThat(answered.records()).containsExactly(second);
        assertThat(answered.rest().committable()).isEqualTo(3);
        assertThat(answered.rest().answer(Set.of("one")).rest().committable()).isEqualTo(7);
    }

    @Test
    void oneAnswerSettlesEverythingThatWaitsForThePool() {
        OpenRecords open = OpenRecords.from(3).with(first).with(second).with(third);

        OpenRecords.Answered answered = open.answer(Set.of("one"));

        assertThat(answered.records()).containsExactly(first, third);
        assertThat(answered.rest().committable()).isEqualTo(4);
    }

    @Test
    void aRecordWithoutAPoolIsAnsweredInItsTurn() {
        OpenRecord nobodys = refused(5, null);
        OpenRecords open = OpenRecords.from(3).with(first).with(nobodys);

        assertThat(open.answer(Set.of()).records()).isEmpty();
        assertThat(open.answer(Set.of("one")).records()).containsExactly(first, nobodys);
    }

    @Test
    void markersBehindTheLastRecordAreReadPast() {
        OpenRecords open = OpenRecords.from(3).with(first);

        OpenRecords rest = open.answer(Set.of("one")).rest().readTo(9);

        assertThat(rest.committable()).isEqualTo(9);
    }

    @Test
    void thePoolThatHasWaitedLongestComesFirst() {
        OpenRecords open = OpenRecords.from(3).with(second).with(third).with(first);

        assertThat(List.copyOf(open.pools())).containsExactly("two", "one");
    }
}
