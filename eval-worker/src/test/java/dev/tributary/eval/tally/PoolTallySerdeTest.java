package dev.tributary.eval.tally;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.eval.verdict.RegressionPolicy;
import dev.tributary.eval.verdict.Results;
import dev.tributary.eval.verdict.TaskResult;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.kafka.common.errors.SerializationException;
import org.junit.jupiter.api.Test;

class PoolTallySerdeTest {

    private final PoolTallySerde serde = new PoolTallySerde();

    @Test
    void aTallyReadsBackAsItWas() {
        PoolTally tally = sample();

        byte[] bytes = serde.serializer().serialize("changelog", tally);

        assertThat(serde.deserializer().deserialize("changelog", bytes)).isEqualTo(tally);
    }

    @Test
    void anEmptyTallyAndATombstoneReadBackAsTheyWere() {
        byte[] bytes = serde.serializer().serialize("changelog", PoolTally.EMPTY);

        assertThat(serde.deserializer().deserialize("changelog", bytes)).isEqualTo(PoolTally.EMPTY);
        assertThat(serde.serializer().serialize("changelog", null)).isNull();
        assertThat(serde.deserializer().deserialize("changelog", null)).isNull();
    }

    @Test
    void fieldsOfANewerReleaseArePassedOver() {
        byte[] bytes = serde.serializer().serialize("changelog", sample());
        String more =
                new String(bytes, StandardCharsets.UTF_8)
                        .replaceFirst("\\{", "{\"fromTheFuture\": [1], ");

        assertThat(
                        serde.deserializer()
                                .deserialize("changelog", more.getBytes(StandardCharsets.UTF_8)))
                .isEqualTo(sample());
    }

    /// A pool of twenty tasks of 2,000 items, all of whose places are taken, stays well below the
    /// broker's usual limit of one mebibyte a record.
    @Test
    void theLargestTallyFitsIntoARecord() {
        List<TaskResult> results =
                java.util.stream.IntStream.range(0, 20)
                        .mapToObj(i -> (TaskResult) scored("a-task-with-a-long-name-" + i))
                        .toList();
        PoolTally tally = PoolTally.EMPTY;
        for (int number = 1; number <= PoolTally.KEPT; number++) {
            tally = tally.withJudged(judged(number, results));
        }

        assertThat(serde.serializer().serialize("changelog", tally).length).isLessThan(600_000);
    }

    @Test
    void whatIsNoTallyIsRefused() {
        assertThatThrownBy(() -> serde.deserializer().deserialize("changelog", new byte[] {1}))
                .isInstanceOf(SerializationException.class)
                .hasMessageContaining("cannot be read");
    }

    private static PoolTally sample() {
        Generation generation =
                new Generation(
                        "mail",
                        3,
                        "g3",
                        new Reference("store:generations/g3", "sha256:3", 3),
                        new Reference("store:checkpoints/base", "sha256:0", 9),
                        List.of(
                                new Generation.Member(
                                        "spam",
                                        new Reference("store:checkpoints/a", "sha256:a", 1),
                                        new Reference("store:tasks/a", "sha256:b", 2))));
        List<TaskResult> results =
                List.of(scored("spam"), new TaskResult.Failed("mood", "NO_SPACE", "full"));
        return PoolTally.EMPTY
                .withPolicy(new RegressionPolicy(0.02, 0.03, 0.2))
                .withChampion(judged(1, results))
                .withJudged(judged(1, results))
                .withOpen(3, OpenGeneration.of(generation).with(scored("spam")))
                .withFiring(java.util.Set.of("", "spam"));
    }

    private static JudgedGeneration judged(long number, List<TaskResult> results) {
        return new JudgedGeneration(
                number,
                "sha256:" + "0".repeat(64),
                results,
                java.util.OptionalDouble.of(0.93),
                dev.tributary.eval.verdict.Verdict.PASS);
    }

    private static TaskResult.Scored scored(String task) {
        return Results.scored(task, Results.items(2000).correct(3, 1507));
    }
}
