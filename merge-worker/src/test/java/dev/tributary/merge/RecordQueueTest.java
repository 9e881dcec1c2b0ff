package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

class RecordQueueTest {
    private final RecordQueue queue = new RecordQueue();

    @Test
    void nothingGetsThroughBeforeTheConsumerStandsWhereTheWorkBegins() throws Exception {
        queue.offer(List.of(Samples.record(1)), 2, 0);

        begin(5);
        queue.offer(List.of(Samples.record(5)), 6, 0);

        assertThat(queue.first()).isNotNull().extracting(record -> record.offset()).isEqualTo(5L);
    }

    @Test
    void beginningAnewForgetsWhatCameBefore() throws Exception {
        begin(5);
        queue.offer(List.of(Samples.record(5)), 6, 0);

        begin(3);

        assertThat(queue.first()).isNull();
        assertThat(queue.readTo()).isEqualTo(OptionalLong.of(3));
    }

    @Test
    void thePositionCountsOnlyOnceEverythingBeforeItIsTaken() throws Exception {
        begin(0);
        queue.offer(List.of(Samples.record(0)), 2, 0);

        assertThat(queue.readTo()).isEmpty();
        queue.removeFirst(1);

        assertThat(queue.readTo()).isEqualTo(OptionalLong.of(2));
    }

    @Test
    void recordsThatWaitForAnAnswerTakeRoomToo() throws Exception {
        begin(0);
        queue.offer(List.of(Samples.record(0), Samples.record(1)), 2, 40);

        queue.removeFirst(1);

        assertThat(queue.hasRoom(2)).isFalse();
        assertThat(queue.hasRoom(3)).isTrue();
        assertThat(queue.backlog()).isEqualTo(42);
    }

    @Test
    void waitingEndsWithARecordOrWithTheWork() throws Exception {
        begin(0);
        assertThat(queue.await(Duration.ofMillis(1), () -> false)).isFalse();
        assertThat(queue.await(Duration.ofHours(1), () -> true)).isFalse();

        queue.offer(List.of(Samples.record(0)), 1, 0);

        assertThat(queue.await(Duration.ofHours(1), () -> false)).isTrue();
    }

    /// The working side asks, the polling side goes there.
    private void begin(long offset) throws ExecutionException, InterruptedException {
        CompletableFuture<Boolean> begun =
                CompletableFuture.supplyAsync(() -> {
                    try {
                        return queue.start(offset, () -> false);
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                });
        while (!begun.isDone()) {
            queue.wantedStart().ifPresent(queue::startedAt);
            Thread.onSpinWait();
        }
        assertThat(begun.get()).isTrue();
    }
}
