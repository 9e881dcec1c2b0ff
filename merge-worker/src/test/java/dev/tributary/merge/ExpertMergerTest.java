package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExpertMergerTest {
    private FolderArtifactStore store;
    private ExpertMerger merger;
    private TinyModels models;

    @BeforeEach
    void open(@TempDir Path folder) {
        store = FolderArtifactStore.open(folder.resolve("store"));
        merger = new ExpertMerger(store, folder.resolve("cache"));
        models = new TinyModels(store);
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void aWishIsMergedOnceAndFoundAgainAfterwardsWithAllThatIsKnownOfIt() {
        Wish wish = wish("pool", Map.of("max_steps", "3"));

        MergedGeneration first = merger.make(wish, null, Progress.SILENT);
        MergedGeneration second = merger.make(wish, null, Progress.SILENT);

        assertThat(first.reused()).isFalse();
        assertThat(second.reused()).isTrue();
        assertThat(second.artifact()).isEqualTo(first.artifact());
        assertThat(second.groups()).isEqualTo(first.groups()).isNotEmpty();
        assertThat(second.members())
                .extracting(MergedGeneration.Part::coefficients)
                .isEqualTo(
                        first.members().stream().map(MergedGeneration.Part::coefficients).toList());
        assertThat(second.lossBefore()).isEqualTo(first.lossBefore()).isPositive();
        assertThat(second.lossAfter()).isEqualTo(first.lossAfter()).isPositive();
        assertThat(second.steps()).isEqualTo(first.steps());
        assertThat(first.members())
                .allSatisfy(part -> assertThat(part.taskVectorNorm()).isPositive());
    }

    @Test
    void everyTaskHasAFolderThatOpensAsACheckpoint() {
        MergedGeneration generation =
                merger.make(wish("pool", Map.of("max_steps", "0")), null, Progress.SILENT);

        Path artifact = store.open(generation.artifact());
        for (String task : List.of("mail", "news")) {
            try (Checkpoint checkpoint = Checkpoint.open(artifact.resolve("tasks").resolve(task))) {
                assertThat(checkpoint.tensors()).containsKey("classifier.weight");
            }
        }
    }

    @Test
    void aMergeStartsFromWhatTheLastGenerationHasLearnt() {
        MergedGeneration first =
                merger.make(wish("pool", Map.of("max_steps", "3")), null, Progress.SILENT);

        MergedGeneration next =
                merger.make(
                        wish("pool", Map.of("max_steps", "0")), first.asLast(), Progress.SILENT);

        assertThat(next.number()).isEqualTo(2);
        assertThat(next.members())
                .extracting(MergedGeneration.Part::coefficients)
                .isEqualTo(
                        first.members().stream().map(MergedGeneration.Part::coefficients).toList());
    }

    @Test
    void aMergeThatIsGivenUpLeavesNothingBehind() throws IOException {
        Wish wish = wish("pool", Map.of("max_steps", "50"));
        Ownership ownership = new Ownership();
        Progress progress =
                ownership.watching((stage, done, _) -> {
                    if (stage.startsWith("optimising") && done == 2) {
                        ownership.lose();
                    }
                });

        assertThatThrownBy(() -> merger.make(wish, null, progress))
                .isInstanceOf(Ownership.AbandonedException.class);

        assertThat(store.exists(wish.storePath())).isFalse();
        try (Stream<Path> staged = Files.walk(store.root().resolve("staging"))) {
            assertThat(staged.filter(path -> path.toString().endsWith(".safetensors"))).isEmpty();
        }
    }

    private Wish wish(String pool, Map<String, String> options) {
        Admitter admitter = new Admitter(store);
        PoolState state =
                admitter.admit(
                        null,
                        new PoolEvent.Configured(
                                "c", pool, models.base(), "divmerge", options, Samples.LIMITS, 0));
        for (String task : List.of("mail", "news")) {
            state =
                    admitter.admit(
                            state,
                            new PoolEvent.Published(
                                    task,
                                    pool,
                                    task,
                                    models.expert(task.hashCode()),
                                    models.base().digest(),
                                    models.task(task)));
        }
        return Samples.wish(state);
    }
}
