package dev.tributary.merge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.merging.Coefficients;
import dev.tributary.merging.PublishedLineage;
import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.LearnsCoefficients;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MethodCatalogue;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FolderArtifactStore;
import dev.tributary.tensors.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class ExpertMergerTest {
    private FolderArtifactStore store;
    private ExpertMerger merger;
    private TinyModels models;

    @BeforeEach
    void open(@TempDir Path folder) {
        store = FolderArtifactStore.open(folder.resolve("store"));
        merger = new ExpertMerger(store, folder.resolve("cache"), null);
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

    static List<String> methods() {
        return MethodCatalogue.ids();
    }

    @ParameterizedTest
    @MethodSource("methods")
    void everyMethodMergesAPool(String method) {
        boolean learns = MergeMethod.of(method, Map.of()).as(LearnsCoefficients.class).isPresent();
        String[] tasks =
                method.equals("passthrough")
                        ? new String[] {"mail"}
                        : new String[] {"mail", "news"};

        MergedGeneration generation =
                merger.make(
                        wish("pool", method, learns ? Map.of("max_steps", "2") : Map.of(), tasks),
                        null,
                        Progress.SILENT);

        Path artifact = store.open(generation.artifact());
        for (String task : tasks) {
            try (Checkpoint merged = Checkpoint.open(artifact.resolve("tasks").resolve(task))) {
                for (String tensor : merged.tensors().keySet()) {
                    assertThat(merged.firstNonFinite(tensor)).as(tensor).isEmpty();
                }
            }
        }
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
    void oneCoefficientATensorStaysInTheArtifactAndOutOfEvents() {
        Wish wish = wish("pool", Map.of("max_steps", "3", "granularity", "tensor"));
        MergedGeneration first = merger.make(wish, null, Progress.SILENT);
        MergedGeneration again = merger.make(wish, null, Progress.SILENT);

        for (MergedGeneration generation : List.of(first, again)) {
            assertThat(generation.groups()).isEmpty();
            assertThat(generation.members())
                    .allSatisfy(part -> assertThat(part.coefficients()).isEmpty());
        }
        assertThat(learnt(first).granularity()).isEqualTo(Granularity.TENSOR);
        assertThat(learnt(first).groups()).hasSizeGreaterThan(10);
    }

    @ParameterizedTest
    @EnumSource(Granularity.class)
    void aMergeStartsFromExactlyWhatWasLearntAtItsGranularity(Granularity granularity) {
        MergedGeneration first =
                merger.make(wish(granularity, "max_steps", "3"), null, Progress.SILENT);

        MergedGeneration next =
                merger.make(wish(granularity, "max_steps", "0"), first.asLast(), Progress.SILENT);

        assertThat(next.artifact()).isNotEqualTo(first.artifact());
        assertThat(learnt(next)).isEqualTo(learnt(first));
        assertThat(learnt(next).values()).doesNotContain(0.5);
    }

    @Test
    void aPoolThatChangesToTensorsStartsEachWhereItsLayerWas() {
        MergedGeneration layers =
                merger.make(wish(Granularity.LAYER, "max_steps", "3"), null, Progress.SILENT);

        MergedGeneration tensors =
                merger.make(
                        wish(Granularity.TENSOR, "max_steps", "0"),
                        layers.asLast(),
                        Progress.SILENT);
        MergedGeneration back =
                merger.make(
                        wish(Granularity.LAYER, "max_steps", "0"),
                        tensors.asLast(),
                        Progress.SILENT);

        assertThat(learnt(tensors).get("mail", "bert.pooler.dense.bias"))
                .isEqualTo(learnt(layers).get("mail", "pooler"));
        for (String group : layers.groups()) {
            assertThat(learnt(back).get("news", group))
                    .isCloseTo(learnt(layers).get("news", group), within(1e-12));
        }
    }

    @Test
    void whatThePoolRemembersIsTheStartWhereTheLastArtifactIsGone() throws IOException {
        MergedGeneration first =
                merger.make(wish(Granularity.LAYER, "max_steps", "3"), null, Progress.SILENT);
        Coefficients learnt = learnt(first);
        remove(store.open(first.artifact()));

        MergedGeneration next =
                merger.make(
                        wish(Granularity.LAYER, "max_steps", "0"), first.asLast(), Progress.SILENT);

        assertThat(learnt(next)).isEqualTo(learnt);
        assertThat(startedFrom(next)).isEqualTo(first.wish().id().value());
    }

    @Test
    void whereNothingIsKnownOfTheLastCoefficientsAMergeStartsAfreshAndSaysSo() throws IOException {
        MergedGeneration first =
                merger.make(wish(Granularity.TENSOR, "max_steps", "3"), null, Progress.SILENT);
        remove(store.open(first.artifact()));

        MergedGeneration next =
                merger.make(
                        wish(Granularity.TENSOR, "max_steps", "0"),
                        first.asLast(),
                        Progress.SILENT);

        assertThat(learnt(next).values()).containsOnly(0.5);
        assertThat(startedFrom(next)).isEqualTo("null");
    }

    private Coefficients learnt(MergedGeneration generation) {
        return Objects.requireNonNull(
                PublishedLineage.read(store.open(generation.artifact())).coefficients());
    }

    private String startedFrom(MergedGeneration generation) throws IOException {
        return new ObjectMapper()
                .readTree(store.open(generation.artifact()).resolve("tributary.json").toFile())
                .path("started_from")
                .asText();
    }

    private static void remove(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Test
    void afterOneExpertAloneAMergeStartsAfreshAndSaysSo() throws IOException {
        Map<String, String> options = Map.of("max_steps", "0");
        MergedGeneration first = merger.make(wish("pool", options, "mail"), null, Progress.SILENT);

        MergedGeneration next = merger.make(wish("pool", options), first.asLast(), Progress.SILENT);

        assertThat(learnt(first).values()).containsOnly(1.0);
        assertThat(learnt(next).values()).containsOnly(0.5);
        assertThat(startedFrom(next)).isEqualTo("null");
    }

    private Wish wish(Granularity granularity, String option, String value) {
        return wish("pool", Map.of("granularity", granularity.id(), option, value));
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
        return wish(pool, options, "mail", "news");
    }

    private Wish wish(String pool, Map<String, String> options, String... tasks) {
        return wish(pool, "divmerge", options, tasks);
    }

    private Wish wish(String pool, String method, Map<String, String> options, String... tasks) {
        Admitter admitter = new Admitter(store);
        PoolState state =
                admitter.admit(
                        null,
                        new PoolEvent.Configured(
                                "c", pool, models.base(), method, options, Samples.LIMITS, 0));
        for (String task : tasks) {
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
