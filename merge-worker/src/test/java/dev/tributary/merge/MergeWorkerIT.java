package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tributary.events.DeadLetter;
import dev.tributary.events.GenerationMerged;
import dev.tributary.schemas.DeadLetterRecord;
import dev.tributary.schemas.EventHeaders;
import dev.tributary.schemas.Topic;
import dev.tributary.stack.ChildProcess;
import dev.tributary.stack.JavaProgram;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// The packaged worker against a real broker and a real registry, with small real models.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class MergeWorkerIT {
    /// Long enough that something can happen meanwhile.
    private static final Map<String, String> SLOW =
            Map.of(
                    "max_steps", "400",
                    "evaluate_every", "100000",
                    "patience", "1000",
                    "min_improvement", "0");

    private static final Map<String, String> QUICK = Map.of("max_steps", "2");

    private Installation installation;
    private WorkerProcess worker;

    @BeforeAll
    void start(@TempDir Path folder) {
        installation = new Installation(folder);
        worker = installation.worker("worker").ready();
    }

    @AfterAll
    void stop() {
        worker.close();
        installation.close();
    }

    @Test
    void checkpointsPublishedWhileAMergeRunsAreOneGenerationThatCoversThemAll() {
        installation.configure("busy", "divmerge", SLOW);
        installation.publish("busy", "mail", 1);
        installation.await(Topic.GENERATIONS, "busy", GenerationMerged.class, 1);
        installation.publish("busy", "news", 2);
        worker.awaitMerging("busy");

        installation.publish("busy", "mail", 3);
        installation.publish("busy", "mail", 4);
        installation.publish("busy", "verse", 5);

        installation.await(Topic.GENERATIONS, "busy", GenerationMerged.class, 3);
        installation.awaitNoLag();
        assertThat(generations("busy"))
                .extracting(GenerationMerged::getNumber)
                .containsExactly(1L, 2L, 3L);
        GenerationMerged last = generations("busy").getLast();
        assertThat(last.getCovers()).containsExactly("busy mail 3", "busy mail 4", "busy verse 5");
        assertThat(last.getSuperseded()).containsExactly("busy mail 3");
        assertThat(last.getMembers()).extracting("task").containsExactly("mail", "news", "verse");
        assertThat(last.getAddedTasks()).containsExactly("mail", "verse");
        assertThat(last.getPreviousNumber()).isEqualTo(2);
    }

    @Test
    void theSameCheckpointPublishedTwiceBringsNothingNew() {
        installation.configure("twice", "divmerge", QUICK);
        installation.publish("twice", "mail", 1);
        installation.await(Topic.GENERATIONS, "twice", GenerationMerged.class, 1);

        installation.publish("again", "twice", "mail", installation.models().expert(1));
        installation.awaitNoLag();

        assertThat(generations("twice")).hasSize(1);
        assertThat(deadLetters("twice")).isEmpty();
    }

    @Test
    void twoPoolsWithTheSameWishShareOneArtifact() {
        installation.configure("first", "task_arithmetic", Map.of());
        installation.publish("first", "mail", 21);
        ArtifactUse first =
                use(installation.await(Topic.GENERATIONS, "first", GenerationMerged.class, 1));
        installation.configure("second", "task_arithmetic", Map.of());
        installation.publish("second", "mail", 21);

        ArtifactUse second =
                use(installation.await(Topic.GENERATIONS, "second", GenerationMerged.class, 1));

        assertThat(second.uri()).isEqualTo(first.uri());
        assertThat(second.reused()).isTrue();
        assertThat(first.reused()).isFalse();
    }

    @Test
    void aWithdrawalBringsThePreviousCheckpointBack() {
        installation.configure("withdrawing", "divmerge", QUICK);
        ArtifactReference good = installation.publish("withdrawing", "mail", 1);
        installation.await(Topic.GENERATIONS, "withdrawing", GenerationMerged.class, 1);
        ArtifactReference bad = installation.publish("withdrawing", "mail", 2);
        installation.await(Topic.GENERATIONS, "withdrawing", GenerationMerged.class, 2);

        installation.retire("withdrawing", "mail", bad.digest());
        List<GenerationMerged> generations =
                installation.await(Topic.GENERATIONS, "withdrawing", GenerationMerged.class, 3);
        installation.publish("once more", "withdrawing", "mail", bad);
        List<DeadLetter> letters =
                installation.await(Topic.DEAD_LETTERS, "withdrawing", DeadLetter.class, 1);

        assertThat(generations.getLast().getMembers())
                .extracting(member -> member.getCheckpoint().getDigest())
                .containsExactly(good.digest().value());
        assertThat(generations.getLast().getGenerationId())
                .isEqualTo(generations.getFirst().getGenerationId());
        assertThat(letters).extracting(DeadLetter::getCode).containsExactly("WITHDRAWN");
    }

    @Test
    void whatCannotBeAcceptedIsSetAsideWithItsReasonAndThePoolGoesOn() {
        TinyModels models = installation.models();
        installation.configure("strict", "divmerge", QUICK);
        installation.publish("corrupt", "strict", "mail", models.truncated(1));
        installation.publish("foreign", "strict", "mail", models.wider(1));
        installation.publish(
                "nan",
                "strict",
                "mail",
                models.expert(
                        9,
                        3,
                        values ->
                                Objects.requireNonNull(values.get("bert.pooler.dense.bias"))[5] =
                                        Float.NaN));
        publishRaw("wrong base", "mail", models.expert(1), Digest.ofText("another base"), "mail");
        publishRaw("wrong task", "mail", models.expert(1), models.base().digest(), "news");
        installation.publish(
                "unsafe",
                "strict",
                "mail",
                new dev.tributary.events.ArtifactReference(
                        "store:../../secret", models.base().digest().value(), 1L),
                models.base().digest(),
                Installation.reference(models.task("mail")));
        installation.publish(
                "changed",
                "strict",
                "mail",
                new dev.tributary.events.ArtifactReference(
                        models.expert(1).uri(), Digest.ofText("other").value(), 1L),
                models.base().digest(),
                Installation.reference(models.task("mail")));
        installation.publish(
                "missing",
                "strict",
                "mail",
                new dev.tributary.events.ArtifactReference(
                        "store:checkpoints/nowhere", Digest.ofText("other").value(), 1L),
                models.base().digest(),
                Installation.reference(models.task("mail")));
        byte[] garbage = {7, 7, 7};
        installation.sendRaw("strict", garbage, new RecordHeaders().add("mine", garbage));
        installation.sendRaw("strict", new byte[] {0, 0, 1, 2, 3, 4}, null);
        installation.retire("strict", "nobody's task", null);
        installation.retireUnderKey("another key", "strict", "mail");
        installation.publish("strict", "mail", 1);

        installation.await(Topic.GENERATIONS, "strict", GenerationMerged.class, 1);
        installation.awaitNoLag();
        List<DeadLetter> letters = deadLetters("strict");

        assertThat(letters)
                .extracting(DeadLetter::getEventId, DeadLetter::getCode)
                .contains(
                        tuple("corrupt", "CORRUPT_CHECKPOINT"),
                        tuple("wrong base", "WRONG_BASE"),
                        tuple("wrong task", "UNKNOWN_TASK"),
                        tuple("unsafe", "UNSAFE_PATH"),
                        tuple("changed", "DIGEST_MISMATCH"),
                        tuple("missing", "ARTIFACT_MISSING"),
                        tuple(null, "UNDECODABLE_RECORD"),
                        tuple(null, "UNKNOWN_SCHEMA"),
                        tuple("retire strict nobody's task null", "UNKNOWN_TASK"),
                        tuple("retire strict mail null", "MISROUTED_RECORD"));
        assertThat(letter(letters, "foreign").getSentences())
                .anyMatch(sentence -> sentence.contains("shape"));
        assertThat(letter(letters, "nan").getSentences())
                .anyMatch(sentence -> sentence.contains("bert.pooler.dense.bias"))
                .anyMatch(sentence -> sentence.contains("labels"));
        assertThat(letters).hasSize(12);
        assertThat(generations("strict")).hasSize(1);
        ConsumerRecord<byte[], byte[]> queued =
                installation.records(Topic.POOL_EVENTS_DLQ, "strict").stream()
                        .filter(record -> record.value().length == garbage.length)
                        .findFirst()
                        .orElseThrow();
        assertThat(queued.value()).isEqualTo(garbage);
        assertThat(queued.headers().lastHeader("mine").value()).isEqualTo(garbage);
        assertThat(EventHeaders.text(queued.headers(), DeadLetterRecord.ERROR_CODE))
                .contains("UNDECODABLE_RECORD");
    }

    @Test
    void aJvmWithoutVectorInstructionsIsRefusedInOneSentence(@TempDir Path folder) {
        try (ChildProcess process =
                ChildProcess.start(
                        JavaProgram.quarkus(
                                "plain", WorkerProcess.APPLICATION, List.of(), Map.of()),
                        folder.resolve("plain.log"))) {
            assertThat(process.exits(Installation.PATIENCE)).isTrue();
            assertThat(process.exitCode()).isEqualTo(2);
            assertThat(process.log()).content().contains("start java with --add-modules");
        }
    }

    @Test
    void anEventOfAnUnknownPoolIsSetAside() {
        installation.publish("unheard of", "mail", 1);

        assertThat(installation.await(Topic.DEAD_LETTERS, "unheard of", DeadLetter.class, 1))
                .extracting(DeadLetter::getCode)
                .containsExactly("UNKNOWN_POOL");
    }

    @Test
    void whatFollowsFromAnEventCarriesItsTrace() {
        installation.configure("traced", "task_arithmetic", Map.of());
        installation.publish("traced", "mail", 1);
        installation.await(Topic.GENERATIONS, "traced", GenerationMerged.class, 1);

        ConsumerRecord<byte[], byte[]> generation =
                installation.records(Topic.GENERATIONS, "traced").getFirst();

        assertThat(EventHeaders.traceparent(generation.headers())).isPresent();
        assertThat(EventHeaders.text(generation.headers(), "ce_type"))
                .contains("dev.tributary.GenerationMerged.v1");
        assertThat(EventHeaders.text(generation.headers(), "ce_subject")).contains("traced");
    }

    @Test
    void metricsAndMergesShowWhatWasDone() {
        installation.configure("shown", "task_arithmetic", Map.of());
        installation.publish("shown", "mail", 31);
        installation.await(Topic.GENERATIONS, "shown", GenerationMerged.class, 1);

        assertThat(worker.get("/q/metrics"))
                .contains("tributary_merge_generations_total{outcome=\"merged\"}")
                .contains("tributary_merge_seconds_count")
                .contains("tributary_merge_backlog_events")
                .contains("tributary_merge_in_progress");
        assertThat(worker.merges().findValuesAsText("pool")).contains("shown");
        assertThat(worker.status("/q/health/live")).isEqualTo(200);
    }

    private void publishRaw(
            String eventId, String task, ArtifactReference expert, Digest base, String definition) {
        installation.publish(
                eventId,
                "strict",
                task,
                Installation.reference(expert),
                base,
                Installation.reference(installation.models().task(definition)));
    }

    private record ArtifactUse(String uri, boolean reused) {}

    private static ArtifactUse use(List<GenerationMerged> generations) {
        GenerationMerged last = generations.getLast();
        return new ArtifactUse(last.getArtifact().getUri(), last.getReusedArtifact());
    }

    private List<GenerationMerged> generations(String pool) {
        return installation.events(Topic.GENERATIONS, pool, GenerationMerged.class);
    }

    private List<DeadLetter> deadLetters(String pool) {
        return installation.events(Topic.DEAD_LETTERS, pool, DeadLetter.class);
    }

    private static DeadLetter letter(List<DeadLetter> letters, String eventId) {
        return letters.stream()
                .filter(letter -> eventId.equals(letter.getEventId()))
                .findFirst()
                .orElseThrow();
    }

    private static org.assertj.core.groups.Tuple tuple(
            @org.jspecify.annotations.Nullable Object... values) {
        return org.assertj.core.groups.Tuple.tuple(values);
    }
}
