package dev.tributary.eval.scoring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.eval.TinyModels;
import dev.tributary.eval.TinyModels.Made;
import dev.tributary.eval.TinyModels.Variant;
import dev.tributary.eval.scoring.ScoringRequest.Subject;
import dev.tributary.eval.verdict.TaskResult.Scored;
import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TaskScorerTest {

    private static final int ITEMS = 60;
    private static final long SEED = 5;

    @TempDir Path folder;

    private FolderArtifactStore store;
    private TinyModels models;
    private TaskScorer scorer;
    private final List<String> stages = new ArrayList<>();
    private final Progress progress = (stage, _, _) -> stages.add(stage);

    @BeforeEach
    void open() {
        store = FolderArtifactStore.open(folder.resolve("store"));
        models = new TinyModels(store);
        scorer = new TaskScorer(store, new ScoreCache(folder.resolve("cache")));
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void theExpertItselfKeepsAllOfItsScoreAndDoesNotInterfere() {
        Scored scored = scorer.score(request("g1", Variant.SAME), progress);

        assertThat(scored.task()).isEqualTo("mood");
        assertThat(scored.metric()).isEqualTo("accuracy");
        assertThat(scored.items()).isEqualTo(ITEMS);
        assertThat(scored.score()).isEqualTo(1);
        assertThat(scored.expertScore()).isEqualTo(1);
        assertThat(scored.retention()).hasValue(1);
        assertThat(scored.interference()).isCloseTo(0, within(1e-9));
        assertThat(scored.correct().count()).isEqualTo(ITEMS);
        assertThat(stages).containsExactly("opening", "expert", "generation", "done");
    }

    @Test
    void aNegatedHeadLosesEveryItemAndInterferes() {
        Scored scored = scorer.score(request("g1", Variant.NEGATED), progress);

        assertThat(scored.score()).isZero();
        assertThat(scored.expertScore()).isEqualTo(1);
        assertThat(scored.interference()).isPositive().isLessThanOrEqualTo(Math.log(2));
        assertThat(scored.correct().count()).isZero();
    }

    @Test
    void theItemsAreThoseOfTheValidationFile() {
        ScoringRequest request = request("g1", Variant.SAME);
        Path task = store.open(request.taskDefinition());

        assertThat(scorer.score(request, progress).itemsDigest())
                .isEqualTo(Digest.of(task.resolve("validation.jsonl")).value());
    }

    @Test
    void theExpertIsRunOnceForAllGenerations() throws IOException {
        Scored first = scorer.score(request("g1", Variant.SAME), progress);
        ScoringRequest next = request("g2", Variant.CLOSE);
        removeWeights(next.expert());

        Scored second = scorer.score(next, progress);

        assertThat(second.expertScore()).isEqualTo(first.expertScore());
        assertThat(second.interference()).isPositive();
    }

    @Test
    void aGenerationIssuedAgainCostsNothing() throws IOException {
        ScoringRequest request = request("g1", Variant.NEGATED);
        Scored first = scorer.score(request, progress);
        removeWeights(request.expert());
        removeWeights(request.artifact());
        stages.clear();

        Scored again = scorer.score(request, progress);

        assertThat(again).isEqualTo(first);
        assertThat(stages).containsExactly("opening");
    }

    @Test
    void aTruncatedCheckpointIsRefused() {
        assertRefused(request("g1", Variant.TRUNCATED), FailureCode.CORRUPT_CHECKPOINT);
    }

    @Test
    void weightsThatAreNoNumbersAreRefused() {
        assertRefused(request("g1", Variant.NOT_FINITE), FailureCode.NON_FINITE);
    }

    @Test
    void anArtifactThatIsNotThereIsRefused() {
        ScoringRequest request = request("g1", Variant.SAME);
        ArtifactReference elsewhere =
                new ArtifactReference(
                        "store:generations/mail/nowhere", request.artifact().digest(), 1);

        assertRefused(with(request, elsewhere, "tasks/mood"), FailureCode.ARTIFACT_MISSING);
    }

    @Test
    void anArtifactOfAnotherSizeIsRefused() throws IOException {
        ScoringRequest request = request("g1", Variant.SAME);
        Files.writeString(store.open(request.artifact()).resolve("extra"), "more");

        assertRefused(request, FailureCode.DIGEST_MISMATCH);
    }

    @Test
    void validationItemsThatWereChangedAreRefused() throws IOException {
        ScoringRequest request = request("g1", Variant.SAME);
        Path file = store.open(request.taskDefinition()).resolve("validation.jsonl");
        Files.writeString(file, Files.readString(file).replaceFirst("w1", "w2"));

        assertRefused(request, FailureCode.DIGEST_MISMATCH);
    }

    @Test
    void aTaskFolderOutsideTheGenerationIsRefused() {
        ScoringRequest request = request("g1", Variant.SAME);

        for (String path : List.of("../../../checkpoints", "/", "", "tasks/../..")) {
            assertRefused(with(request, request.artifact(), path), FailureCode.UNSAFE_PATH);
        }
    }

    @Test
    void aTaskFolderThatLeadsElsewhereIsRefused() throws IOException {
        ScoringRequest request = request("g1", Variant.SAME);
        Path tasks = store.open(request.artifact()).resolve("tasks");
        Files.move(tasks, folder.resolve("elsewhere"));
        Files.createSymbolicLink(tasks, folder.resolve("elsewhere"));

        assertThatExceptionOfType(RefusedException.class)
                .isThrownBy(() -> scorer.score(request, progress));
    }

    @Test
    void aDefinitionOfAnotherTaskIsRefused() {
        ScoringRequest request = request("g1", Variant.SAME);
        ScoringRequest other =
                new ScoringRequest(
                        new Subject("mail", 1, "g1", "spam"),
                        request.artifact(),
                        request.taskPath(),
                        request.expert(),
                        null,
                        request.taskDefinition());

        assertRefused(other, FailureCode.BAD_TASK);
    }

    private void assertRefused(ScoringRequest request, FailureCode code) {
        assertThatExceptionOfType(RefusedException.class)
                .isThrownBy(() -> scorer.score(request, progress))
                .extracting(refused -> refused.faults().stream().map(Fault::code).toList())
                .isEqualTo(List.of(code));
    }

    private ScoringRequest request(String id, Variant variant) {
        return new ScoringRequest(
                new Subject("mail", 1, id, "mood"),
                models.generation(
                        "generations/mail/" + id, Map.of("mood", new Made(SEED, variant))),
                "tasks/mood",
                models.expert(SEED),
                null,
                models.task("mood", SEED, ITEMS));
    }

    private static ScoringRequest with(
            ScoringRequest request, ArtifactReference artifact, String taskPath) {
        return new ScoringRequest(
                request.subject(),
                artifact,
                taskPath,
                request.expert(),
                null,
                request.taskDefinition());
    }

    private void removeWeights(ArtifactReference artifact) throws IOException {
        try (var files = Files.walk(store.open(artifact))) {
            for (Path file : files.filter(it -> it.toString().endsWith(".safetensors")).toList()) {
                Files.delete(file);
            }
        }
    }
}
