package dev.tributary.merge;

import static dev.tributary.merge.Samples.configured;
import static dev.tributary.merge.Samples.digest;
import static dev.tributary.merge.Samples.published;
import static dev.tributary.merge.Samples.record;
import static dev.tributary.merge.Samples.retired;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class PartitionBookTest {
    private static final Fault FAULT = new Fault(FailureCode.MERGE_FAILED, "merge", "did not work");

    private PartitionBook book = new PartitionBook(Map.of(), 0);
    private final Map<String, PoolState> writtenDown = new TreeMap<>();
    private long committed;
    private long offset;

    @Test
    void threeCheckpointsThatWaitAreOneGenerationThatCoversThemAll() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        publish("2", "pool", "news", "news v1");
        publish("3", "pool", "mail", "mail v2");

        Answer.Merged merged = (Answer.Merged) merge("pool").outcome();

        assertThat(Objects.requireNonNull(merged).covers()).containsExactly("1", "2", "3");
        assertThat(merged.superseded()).containsExactly("1");
        assertThat(merged.generation().wish().tasks()).containsExactly("mail", "news");
        assertThat(committed).isEqualTo(4);
    }

    @Test
    void theSameCheckpointAgainMovesTheOffsetAndPublishesNothing() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        merge("pool");
        publish("1", "pool", "mail", "mail v1");

        Answer answer = settle();

        assertThat(answer.outcome()).isNull();
        assertThat(answer.states()).isEmpty();
        assertThat(committed).isEqualTo(3);
    }

    @Test
    void anEventThatIsSentAgainIsCoveredOnce() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        publish("1", "pool", "mail", "mail v1");
        Answer.Merged first = (Answer.Merged) merge("pool").outcome();
        publish("1", "pool", "mail", "mail v1");
        publish("2", "pool", "news", "news v1");
        Answer.Merged second = (Answer.Merged) merge("pool").outcome();

        assertThat(Objects.requireNonNull(first).covers()).containsExactly("1");
        assertThat(Objects.requireNonNull(second).covers()).containsExactly("2");
        assertThat(committed).isEqualTo(5);
    }

    @Test
    void aReplayFromTheCommittedOffsetGivesTheSameStatesAndNoAnswerTwice() {
        configure("one");
        configure("two");
        publish("1", "one", "mail", "mail v1");
        publish("2", "two", "mail", "mail v1");
        merge("two"); // ahead of pool one
        assertThat(committed).isEqualTo(2);

        book = new PartitionBook(writtenDown, committed);

        assertThat(book.knows(published("1", "one", "mail", "mail v1"), 2)).isFalse();
        assertThat(book.knows(published("2", "two", "mail", "mail v1"), 3)).isTrue();
    }

    @Test
    void aRefusalOfAPoolWaitsForWhatThePoolWaitsFor() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        refuse(published("2", "pool", "news", "bad"));

        Answer answer = merge("pool");

        assertThat(answer.refused()).extracting(OpenRecord::offset).containsExactly(2L);
        assertThat(((Answer.Merged) Objects.requireNonNull(answer.outcome())).covers())
                .containsExactly("1");
    }

    @Test
    void aFailedMergeRefusesItsCheckpointsAndKeepsTheRetirements() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        publish("2", "pool", "news", "news v1");
        merge("pool");
        publish("3", "pool", "mail", "mail v2");
        retire("pool", "news", "news v1");

        Answer answer = answer(book.failed(wish("pool"), List.of(FAULT)));

        assertThat(answer.refused())
                .extracting(record -> record.read().eventId())
                .containsExactly("3");
        PoolState after = Objects.requireNonNull(book.pool("pool"));
        assertThat(after.checkpoints("mail"))
                .extracting(AcceptedCheckpoint::eventId)
                .containsExactly("1");
        assertThat(after.withdrawn()).containsExactly(digest("news v1"));
        assertThat(wish("pool").tasks()).containsExactly("mail");
    }

    @Test
    void aCheckpointThatWasRefusedByAFailedMergeCanBeReplayedUnderItsId() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        answer(book.failed(wish("pool"), List.of(FAULT)));
        publish("1", "pool", "mail", "mail v1");

        Answer.Merged merged = (Answer.Merged) merge("pool").outcome();

        assertThat(Objects.requireNonNull(merged).covers()).containsExactly("1");
    }

    @Test
    void aReplayedCheckpointWhoseMergeFailsAgainIsNotTriedForEver() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        answer(book.failed(wish("pool"), List.of(FAULT)));
        publish("1", "pool", "mail", "mail v1");
        answer(book.failed(wish("pool"), List.of(FAULT)));

        assertThat(book.next(Instant.EPOCH)).isEqualTo(new Agenda.Idle());
        assertThat(Objects.requireNonNull(book.pool("pool")).checkpoints("mail")).isEmpty();
    }

    @Test
    void aRequestThatFailedForGoodIsNotAskedForAgainByARestart() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        answer(book.failed(wish("pool"), List.of(FAULT)));

        book = new PartitionBook(writtenDown, committed);

        assertThat(book.next(Instant.EPOCH)).isEqualTo(new Agenda.Idle());
    }

    @Test
    void aWithdrawalBringsTheCheckpointBeforeBackIntoTheNextGeneration() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        merge("pool");
        publish("2", "pool", "mail", "mail v2");
        merge("pool");
        retire("pool", "mail", "mail v2");

        Answer answer = merge("pool");

        Answer.Merged merged = (Answer.Merged) Objects.requireNonNull(answer.outcome());
        assertThat(merged.generation().wish().members())
                .extracting(member -> member.accepted().checkpoint().digest())
                .containsExactly(digest("mail v1"));
        assertThat(merged.generation().number()).isEqualTo(3);
    }

    @Test
    void aPoolLeftAloneIsTakenUpAgainWhenItsTimeHasCome() {
        configure("pool");
        publish("1", "pool", "mail", "mail v1");
        Instant later = Instant.EPOCH.plusSeconds(10);
        book.retry("pool", later);

        assertThat(book.next(Instant.EPOCH)).isEqualTo(new Agenda.WaitUntil(later));
        assertThat(book.next(later)).isEqualTo(new Agenda.Merge(wish("pool")));
    }

    private void configure(String pool) {
        PoolEvent.Configured event = configured(pool, "divmerge");
        book.accept(PoolRecord.of(record(offset++), event), PoolState.unknown(pool).with(event));
        settle();
    }

    private void publish(String eventId, String pool, String task, String content) {
        PoolEvent.Published event = published(eventId, pool, task, content);
        PoolState state = Objects.requireNonNull(book.pool(pool));
        book.accept(
                PoolRecord.of(record(offset++), event), state.with(event, digest("calibration")));
    }

    private void retire(String pool, String task, String content) {
        PoolEvent.Retired event = retired(pool, task, content);
        PoolState state = Objects.requireNonNull(book.pool(pool));
        book.accept(PoolRecord.of(record(offset++), event), state.with(event));
    }

    private void refuse(PoolEvent event) {
        book.refuse(PoolRecord.of(record(offset++), event), List.of(FAULT), OpenRecord.Stage.ADMIT);
    }

    private Wish wish(String pool) {
        return Objects.requireNonNull(book.wish(pool));
    }

    private Answer merge(String pool) {
        Wish wish = wish(pool);
        LastGeneration last = Objects.requireNonNull(book.pool(pool)).last();
        List<MergedGeneration.Part> parts =
                wish.members().stream()
                        .map(member -> new MergedGeneration.Part(member, null, List.of(0.5)))
                        .toList();
        return answer(
                book.merged(
                        new MergedGeneration(
                                wish,
                                last == null ? 1 : last.number() + 1,
                                Samples.artifact("merged"),
                                List.of("all"),
                                parts,
                                null,
                                null,
                                0,
                                1.0,
                                false)));
    }

    private Answer settle() {
        Agenda.Settle agenda = (Agenda.Settle) book.next(Instant.EPOCH);
        return answer(book.settled(Set.copyOf(agenda.pools())));
    }

    private Answer answer(Answer answer) {
        book.published(answer);
        answer.states().forEach(state -> writtenDown.put(state.pool(), state));
        committed = answer.commitOffset();
        return answer;
    }
}
