package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.junit.jupiter.api.Test;

class MergeBoardTest {
    private final HandClock clock = new HandClock();
    private final MergeBoard board = new MergeBoard(clock);
    private final Wish wish =
            Samples.wish(Samples.publish(Samples.configuredPool("pool"), "1", "mail", "mail v1"));

    @Test
    void theTimeLeftIsJudgedByThePaceOfTheStage() {
        MergeBoard.Running merge = board.begin(wish, 3);
        clock.pass(Duration.ofSeconds(100));
        merge.update("optimising, loss 0.5", 0, 40);
        clock.pass(Duration.ofSeconds(10));

        merge.update("optimising, loss 0.4", 10, 40);

        MergeView view = board.views().getFirst();
        assertThat(view.etaSeconds()).isEqualTo(30.0);
        assertThat(view.outcome()).isEqualTo("RUNNING");
        assertThat(view.members()).containsExactly("mail");
        assertThat(board.running()).isEqualTo(1);
    }

    @Test
    void endedMergesAreRememberedNewestFirstAndNotForEver() {
        for (int number = 1; number <= 30; number++) {
            board.begin(wish, number).end(MergeBoard.End.MERGED);
        }

        assertThat(board.views()).hasSize(20).extracting(MergeView::number).startsWith(30L, 29L);
        assertThat(board.views().getFirst().outcome()).isEqualTo("MERGED");
        assertThat(board.running()).isZero();
    }

    @Test
    void attemptsAtOneMergeAreShownOnce() {
        board.begin(wish, 1).end(MergeBoard.End.RETRYING);
        board.begin(wish, 1).end(MergeBoard.End.RETRYING);
        assertThat(board.views()).hasSize(1);

        board.begin(wish, 1).end(MergeBoard.End.MERGED);

        assertThat(board.views()).extracting(MergeView::outcome).containsExactly("MERGED");
    }

    private static final class HandClock extends Clock {
        private Instant now = Instant.EPOCH;

        void pass(Duration time) {
            now = now.plus(time);
        }

        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneId getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(ZoneId zone) {
            throw new UnsupportedOperationException();
        }
    }
}
