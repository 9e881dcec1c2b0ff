package dev.tributary.schemas;

import dev.tributary.events.AlertState;
import dev.tributary.events.ArtifactReference;
import dev.tributary.events.CheckpointPublished;
import dev.tributary.events.DeadLetter;
import dev.tributary.events.DeadLetterSettled;
import dev.tributary.events.EvaluationRequested;
import dev.tributary.events.ExpertRetired;
import dev.tributary.events.GenerationEvaluated;
import dev.tributary.events.GenerationFailed;
import dev.tributary.events.GenerationMember;
import dev.tributary.events.GenerationMerged;
import dev.tributary.events.GenerationPromoted;
import dev.tributary.events.GradientComputed;
import dev.tributary.events.GradientRequested;
import dev.tributary.events.GradientShare;
import dev.tributary.events.MemberCoefficients;
import dev.tributary.events.PoolCheckpoint;
import dev.tributary.events.PoolConfigured;
import dev.tributary.events.PoolExpert;
import dev.tributary.events.PoolGeneration;
import dev.tributary.events.PoolUpdated;
import dev.tributary.events.PooledComparison;
import dev.tributary.events.PromotionReason;
import dev.tributary.events.RegressionAlert;
import dev.tributary.events.Settlement;
import dev.tributary.events.TaskComparison;
import dev.tributary.events.TaskEvaluated;
import dev.tributary.events.Verdict;
import dev.tributary.events.VerdictPolicy;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.avro.specific.SpecificRecordBase;

/// One event of every kind, all of the same pool, as large as the pool is.
final class EventSamples {

    static final Instant TIME = Instant.parse("2026-11-01T12:00:00.123Z");
    static final String POOL = "support-desk";

    private final int tasks;
    private final int groups;

    private EventSamples(int tasks, int groups) {
        this.tasks = tasks;
        this.groups = groups;
    }

    /// Every kind of event, of a pool of this size.
    static List<SpecificRecordBase> ofPool(int tasks, int groups) {
        EventSamples samples = new EventSamples(tasks, groups);
        return List.of(
                configured(),
                checkpointPublished(),
                expertRetired(),
                samples.poolUpdated(),
                samples.generationMerged(),
                samples.generationFailed(),
                evaluationRequested(),
                taskEvaluated(),
                samples.generationEvaluated(),
                promoted(),
                alert(),
                deadLetter(),
                deadLetterSettled(),
                samples.gradientRequested(),
                samples.gradientComputed());
    }

    static ArtifactReference artifact(int seed) {
        String hex = "%064x".formatted(seed * 0x9E3779B97F4A7C15L);
        return new ArtifactReference("store:checkpoints/" + hex, "sha256:" + hex, 91_234_567L);
    }

    static PoolConfigured configured() {
        return PoolConfigured.newBuilder()
                .setEventId("b6f3a1de-5a0e-4c11-9a37-6f0b5a9e7f10")
                .setPool(POOL)
                .setBase(artifact(1))
                .setMethod("divmerge")
                .setOptions(Map.of("granularity", "layer", "learning-rate", "0.01"))
                .setVerdictPolicy(new VerdictPolicy(0.01, 0.02, 0.1))
                .setConfiguredAt(TIME)
                .build();
    }

    static CheckpointPublished checkpointPublished() {
        return CheckpointPublished.newBuilder()
                .setEventId("0d5f7d54-55f7-4b65-8a5e-3c0cb1f8a6c2")
                .setPool(POOL)
                .setTask("sentiment")
                .setCheckpoint(artifact(2))
                .setBaseDigest(artifact(1).getDigest())
                .setTaskDefinition(artifact(3))
                .setPublisher("nightly fine-tuning")
                .setPublishedAt(TIME)
                .build();
    }

    static ExpertRetired expertRetired() {
        return ExpertRetired.newBuilder()
                .setEventId("7c1f7f0f-1b39-47c5-bb52-2f4c5b2a9a01")
                .setPool(POOL)
                .setTask("sentiment")
                .setCheckpointDigest(null)
                .setReason("licence of the training data withdrawn")
                .setRetiredAt(TIME)
                .build();
    }

    private PoolUpdated poolUpdated() {
        return PoolUpdated.newBuilder()
                .setPool(POOL)
                .setRevision(412)
                .setConfigured(configured())
                .setExperts(each(i -> new PoolExpert(task(i), List.of(poolCheckpoint(i)))))
                .setWithdrawn(List.of(artifact(4).getDigest()))
                .setTakenIn(
                        IntStream.range(0, 64)
                                .mapToObj("0d5f7d54-55f7-4b65-8a5e-3c0cb1f8a%03d"::formatted)
                                .toList())
                .setGeneration(
                        new PoolGeneration(
                                17L,
                                artifact(5).getDigest(),
                                artifact(5),
                                groupNames(),
                                each(i ->
                                        new MemberCoefficients(
                                                task(i),
                                                artifact(100 + i).getDigest(),
                                                coefficients(i)))))
                .build();
    }

    private static PoolCheckpoint poolCheckpoint(int i) {
        return new PoolCheckpoint(
                "event-" + i, artifact(100 + i), artifact(200 + i), artifact(300 + i).getDigest());
    }

    private GenerationMerged generationMerged() {
        return GenerationMerged.newBuilder()
                .setPool(POOL)
                .setNumber(17)
                .setGenerationId(artifact(5).getDigest())
                .setArtifact(artifact(5))
                .setBase(artifact(1))
                .setMethod("divmerge")
                .setOptions(Map.of("granularity", "layer"))
                .setMembers(each(this::member))
                .setGroups(groupNames())
                .setCovers(List.of("0d5f7d54-55f7-4b65-8a5e-3c0cb1f8a6c2"))
                .setSuperseded(List.of())
                .setAddedTasks(List.of(task(0)))
                .setRemovedTasks(List.of())
                .setLossBefore(0.41)
                .setLossAfter(0.12)
                .setSteps(120)
                .setSeconds(12.5)
                .setReusedArtifact(false)
                .setPreviousNumber(16L)
                .setCodeVersion("0.1.0")
                .setMergedAt(TIME)
                .build();
    }

    private GenerationMember member(int i) {
        return GenerationMember.newBuilder()
                .setTask(task(i))
                .setEventId("0d5f7d54-55f7-4b65-8a5e-3c0cb1f8a%03d".formatted(i))
                .setCheckpoint(artifact(100 + i))
                .setTaskDefinition(artifact(200 + i))
                .setTaskVectorNorm(3.25)
                .setCoefficients(coefficients(i))
                .build();
    }

    private GenerationFailed generationFailed() {
        return GenerationFailed.newBuilder()
                .setPool(POOL)
                .setGenerationId(null)
                .setMethod("divmerge")
                .setCovers(List.of("0d5f7d54-55f7-4b65-8a5e-3c0cb1f8a6c2"))
                .setCode("NON_FINITE")
                .setSentences(List.of("[encoder.layer.0.output] NaN at 17, expected a number"))
                .setMembers(each(this::member))
                .setCodeVersion("0.1.0")
                .setFailedAt(TIME)
                .build();
    }

    static EvaluationRequested evaluationRequested() {
        return EvaluationRequested.newBuilder()
                .setPool(POOL)
                .setNumber(17)
                .setGenerationId(artifact(5).getDigest())
                .setTask("sentiment")
                .setArtifact(artifact(5))
                .setTaskPath("tasks/sentiment")
                .setExpert(artifact(2))
                .setTaskDefinition(artifact(3))
                .setRequestedAt(TIME)
                .build();
    }

    static TaskEvaluated taskEvaluated() {
        return TaskEvaluated.newBuilder()
                .setPool(POOL)
                .setNumber(17)
                .setGenerationId(artifact(5).getDigest())
                .setTask("sentiment")
                .setMetric("accuracy")
                .setItems(12)
                .setScore(0.75)
                .setExpertScore(0.8)
                .setRetention(0.9375)
                .setInterference(0.031)
                .setCorrect(ByteBuffer.wrap(new byte[] {(byte) 0xF7, 0x05}))
                .setItemsDigest(artifact(6).getDigest())
                .setSeconds(4.5)
                .setWorker("eval-worker-0")
                .setEvaluatedAt(TIME)
                .build();
    }

    private GenerationEvaluated generationEvaluated() {
        return GenerationEvaluated.newBuilder()
                .setPool(POOL)
                .setNumber(17)
                .setGenerationId(artifact(5).getDigest())
                .setVerdict(Verdict.PASS)
                .setAnp(0.96)
                .setTasks(each(EventSamples::comparison))
                .setPooled(new PooledComparison(240, 3, 5, 0.81, 0.05))
                .setChampionNumber(16L)
                .setSentence("No task lost more than the items can show.")
                .setEvaluatedAt(TIME)
                .build();
    }

    private static TaskComparison comparison(int i) {
        return TaskComparison.newBuilder()
                .setTask(task(i))
                .setMetric("accuracy")
                .setItems(12)
                .setScore(0.75)
                .setExpertScore(0.8)
                .setRetention(0.9375)
                .setInterference(0.031)
                .setChampionScore(0.75)
                .setDelta(0.0)
                .setLost(1)
                .setGained(1)
                .setPValue(0.5)
                .setAdjustedPValue(1.0)
                .setSmallestDetectableDrop(0.3)
                .setRegressed(false)
                .build();
    }

    private static GenerationPromoted promoted() {
        return new GenerationPromoted(
                POOL, 17L, artifact(5).getDigest(), artifact(5), 16L, PromotionReason.PASS, TIME);
    }

    private static RegressionAlert alert() {
        return RegressionAlert.newBuilder()
                .setAlertId(artifact(7).getDigest())
                .setPool(POOL)
                .setTask(null)
                .setRule("pooled-decline")
                .setState(AlertState.FIRING)
                .setNumber(17)
                .setChampionNumber(16L)
                .setSentence("The pool lost 20 of 240 items and gained 2.")
                .setScore(0.88)
                .setChampionScore(0.96)
                .setPValue(0.0002)
                .setRaisedAt(TIME)
                .build();
    }

    private static DeadLetterSettled deadLetterSettled() {
        return DeadLetterSettled.newBuilder()
                .setQueue("tributary.pool-events.dlq")
                .setPartition(3)
                .setOffset(17)
                .setSettlement(Settlement.DISCARDED)
                .setReason("published again as safetensors")
                .setSettledBy("ada")
                .setSettledAt(TIME)
                .build();
    }

    private static DeadLetter deadLetter() {
        return DeadLetter.newBuilder()
                .setCode("UNSAFE_FORMAT")
                .setSentences(List.of("[model.bin] is a pickle, expected safetensors"))
                .setTopic("tributary.pool-events")
                .setPartition(3)
                .setOffset(12345)
                .setEventId("0d5f7d54-55f7-4b65-8a5e-3c0cb1f8a6c2")
                .setPool(POOL)
                .setTask("sentiment")
                .setStage("admission")
                .setWorker("merge-worker-0")
                .setFailedAt(TIME)
                .build();
    }

    private GradientRequested gradientRequested() {
        return GradientRequested.newBuilder()
                .setPool(POOL)
                .setMerge("0d5f7d54")
                .setNumber(12)
                .setBase(artifact(1))
                .setMethod("divmerge")
                .setOptions(Map.of("shares", "4"))
                .setExperts(each(i -> new PoolExpert(task(i), List.of(poolCheckpoint(i)))))
                .setCoefficients(allCoefficients())
                .setItems(each(i -> List.of(i, i + 7, i + 11, i + 40)))
                .setShares(List.of(new GradientShare(3, "merge-worker-1")))
                .setWorker("merge-worker-0")
                .setRequestedAt(TIME)
                .build();
    }

    private GradientComputed gradientComputed() {
        return GradientComputed.newBuilder()
                .setPool(POOL)
                .setMerge("0d5f7d54")
                .setNumber(12)
                .setShare(3)
                .setWorker("merge-worker-1")
                .setLosses(List.of(0.031, 0.027))
                .setGradient(allCoefficients())
                .setComputedAt(TIME)
                .build();
    }

    private List<Double> allCoefficients() {
        return IntStream.range(0, tasks).boxed().flatMap(t -> coefficients(t).stream()).toList();
    }

    private static String task(int i) {
        return "a-task-with-a-long-name-%02d".formatted(i);
    }

    private List<String> groupNames() {
        return IntStream.range(0, groups).mapToObj("encoder.layer.%d"::formatted).toList();
    }

    private List<Double> coefficients(int task) {
        return LongStream.range(0, groups).mapToObj(g -> 1.0 / (task + g + 3)).toList();
    }

    private <T> List<T> each(java.util.function.IntFunction<T> element) {
        return IntStream.range(0, tasks).mapToObj(element).toList();
    }
}
