package dev.tributary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.events.ArtifactReference;
import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.PoolCheckpoint;
import dev.tributary.events.PoolExpert;
import dev.tributary.events.PoolUpdated;
import dev.tributary.events.PromotionReason;
import dev.tributary.events.Verdict;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ReachableTest {
    private final Reachable reachable = new Reachable(2, _ -> Optional.empty());

    @Test
    void ofNothingNothingIsNeeded() {
        assertThat(reachable.why("generations/g1")).isEmpty();
    }

    @Test
    void theLastGenerationsAreNeededWithAllTheyWereMadeOfAndOlderOnesAreNot() {
        reachable.addGenerations(generations(6), List.of(), verdicts(6));

        assertThat(needed("generations/g", 6)).containsExactly(5, 6);
        assertThat(needed("checkpoints/c", 6)).containsExactly(5, 6);
        assertThat(needed("tasks/t", 6)).containsExactly(5, 6);
        assertThat(reachable.why("checkpoints/base"))
                .hasValue("the base of generation 5 of pool p, one of the last 2");
    }

    @Test
    void theChampionAndTheOneBeforeItAreNeededHoweverOld() {
        reachable.addGenerations(
                generations(9), List.of(promoted(1), promoted(2), promoted(4)), verdicts(9));

        assertThat(needed("generations/g", 9)).containsExactly(2, 4, 8, 9);
    }

    @Test
    void whatHasNoVerdictYetIsNeeded() {
        List<GenerationEvaluated> verdicts = new ArrayList<>(verdicts(9));
        verdicts.remove(2);

        reachable.addGenerations(generations(9), List.of(), verdicts);

        assertThat(needed("generations/g", 9)).containsExactly(3, 8, 9);
    }

    @Test
    void whatAKeptGenerationStartedFromIsNeeded() {
        Reachable starts =
                new Reachable(
                        1,
                        artifact ->
                                artifact.getUri().endsWith("g6")
                                        ? Optional.of("id 3")
                                        : Optional.empty());

        starts.addGenerations(generations(6), List.of(), verdicts(6));

        assertThat(starts.why("generations/g3"))
                .hasValue("what generation 6 of pool p, one of the last 1 started from");
        assertThat(starts.why("checkpoints/c3")).isEmpty();
    }

    @Test
    void whatAPoolRemembersIsNeeded() {
        reachable.addStates(
                List.of(
                        PoolUpdated.newBuilder()
                                .setPool("p")
                                .setRevision(1)
                                .setExperts(
                                        List.of(
                                                new PoolExpert(
                                                        "mail",
                                                        List.of(
                                                                new PoolCheckpoint(
                                                                        "1",
                                                                        artifact("checkpoints/c1"),
                                                                        artifact("tasks/t1"),
                                                                        "sha256:0")))))
                                .build()));

        assertThat(reachable.why("checkpoints/c1"))
                .hasValue("a remembered checkpoint of mail of pool p");
        assertThat(reachable.why("tasks/t1")).isPresent();
    }

    @Test
    void whatAWaitingEventRefersToIsNeeded() {
        reachable.addWaiting(
                CheckpointPublished.newBuilder()
                        .setEventId("1")
                        .setPool("p")
                        .setTask("mail")
                        .setCheckpoint(artifact("checkpoints/c1"))
                        .setBaseDigest("sha256:0")
                        .setTaskDefinition(artifact("tasks/t1"))
                        .setPublisher("test")
                        .setPublishedAt(Instant.EPOCH)
                        .build(),
                "dead letter pool-events-0-1");
        reachable.addWaiting(null, "bytes that are no event");

        assertThat(reachable.why("checkpoints/c1"))
                .hasValue("the checkpoint in dead letter pool-events-0-1");
        assertThat(reachable.why("tasks/t1")).isPresent();
    }

    private List<Integer> needed(String prefix, int most) {
        return IntStream.rangeClosed(1, most)
                .filter(i -> reachable.why(prefix + i).isPresent())
                .boxed()
                .toList();
    }

    private static List<GenerationMerged> generations(long count) {
        return LongStream.rangeClosed(1, count)
                .mapToObj(i ->
                        GenerationMerged.newBuilder()
                                .setPool("p")
                                .setNumber(i)
                                .setGenerationId("id " + i)
                                .setArtifact(artifact("generations/g" + i))
                                .setBase(artifact("checkpoints/base"))
                                .setMethod("ties")
                                .setMembers(
                                        List.of(
                                                new GenerationMember(
                                                        "mail",
                                                        "event " + i,
                                                        artifact("checkpoints/c" + i),
                                                        artifact("tasks/t" + i),
                                                        null,
                                                        List.of())))
                                .setCovers(List.of())
                                .setSeconds(1)
                                .setCodeVersion("test")
                                .setMergedAt(Instant.EPOCH)
                                .build())
                .toList();
    }

    private static List<GenerationEvaluated> verdicts(long count) {
        return LongStream.rangeClosed(1, count)
                .mapToObj(i ->
                        GenerationEvaluated.newBuilder()
                                .setPool("p")
                                .setNumber(i)
                                .setGenerationId("id " + i)
                                .setVerdict(Verdict.PASS)
                                .setTasks(List.of())
                                .setSentence("well")
                                .setEvaluatedAt(Instant.EPOCH)
                                .build())
                .toList();
    }

    private static GenerationPromoted promoted(long number) {
        return GenerationPromoted.newBuilder()
                .setPool("p")
                .setNumber(number)
                .setGenerationId("id " + number)
                .setArtifact(artifact("generations/g" + number))
                .setReason(PromotionReason.PASS)
                .setPromotedAt(Instant.EPOCH)
                .build();
    }

    private static ArtifactReference artifact(String path) {
        return new ArtifactReference("store:" + path, "sha256:" + "0".repeat(64), 1L);
    }
}
