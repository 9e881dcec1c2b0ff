package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.merging.method.Decay;
import dev.tributary.merging.method.DescentSettings;
import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.Divergence;
import dev.tributary.merging.method.Granularity;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.Solver;
import dev.tributary.merging.method.TaskArithmetic;
import dev.tributary.merging.method.WeightAveraging;
import dev.tributary.models.Batch;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.RunningModel;
import dev.tributary.models.TextTokenizer;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Whole merges of three small BERT classifiers, from folders to a folder.
class PoolMergerTest {
    private static final DivMerge LEARN = learn(Granularity.LAYER);
    private static final MergeMethod SUM = new TaskArithmetic(0.3);

    private static final String TIES_RECIPE =
            """
            merge_method: ties
            base_model: base
            models:
              - model: expert0
                parameters: {weight: 0.5, density: 0.25}
              - model: expert1
                parameters: {weight: 1.0}
            out_dtype: bfloat16
            """;

    @TempDir private Path folder;

    private TinyPool pool;

    private static DivMerge learn(Granularity granularity) {
        return new DivMerge(
                new DescentSettings(granularity, 0.02, Decay.NONE, 4, 20, 0, 10, 5, 10, 0.01, 1, 5),
                Divergence.JS,
                Solver.ADAM,
                0);
    }

    @BeforeEach
    void pool() {
        pool = new TinyPool(folder);
    }

    @Test
    void learningBringsTheMergeCloserToItsExperts() {
        MergeResult result = merge(LEARN, "a", "spam", "hedges", "nouns");
        DivMergeResult learnt = Objects.requireNonNull(result.learnt());
        assertThat(learnt.meanAfter()).isLessThan(learnt.meanBefore());
        assertThat(learnt.steps()).isEqualTo(20);
        assertThat(learnt.history()).extracting(LossPoint::step).containsExactly(0, 5, 10, 15, 20);
        assertThat(learnt.start().values()).containsOnly(1.0 / 3);
        assertThat(learnt.coefficients().values()).doesNotContain(1.0 / 3);
        assertThat(result.groups()).containsExactly("embeddings", "layer.0", "layer.1", "pooler");
        assertThat(result.taskVectorNorms()).containsOnlyKeys("hedges", "nouns", "spam");
    }

    @Test
    void aMergeThatIsCutOffWhileItLearnsGoesOnWhereItWasAndComesOutTheSame(@TempDir Path other) {
        List<Integer> steps = new ArrayList<>();
        Progress cut =
                (stage, done, _) -> {
                    if (stage.startsWith("optimising")) {
                        steps.add((int) done);
                        if (steps.size() == 12) {
                            throw new IllegalStateException("cut off");
                        }
                    }
                };
        MergeRequest request = pool.request(LEARN, folder.resolve("a"), "spam", "hedges", "nouns");
        assertThatThrownBy(() -> PoolMerger.merge(request, cut)).hasMessage("cut off");

        merge(LEARN, "b", "spam", "hedges", "nouns");
        PoolMerger.merge(
                new TinyPool(other)
                        .request(LEARN, other.resolve("whole"), "spam", "hedges", "nouns"),
                Progress.SILENT);

        assertThat(Digest.ofDirectory(folder.resolve("b")))
                .isEqualTo(Digest.ofDirectory(other.resolve("whole")));
    }

    @Test
    void everyTaskHasAFolderThatOpensAsAnOrdinaryClassifier() throws IOException {
        MergeResult result = merge(LEARN, "a", "spam", "hedges", "nouns");
        assertThat(result.files().taskFolders()).containsExactly("hedges", "nouns", "spam");
        Path merged = folder.resolve("a/model.safetensors");
        for (String task : TinyPool.TASKS) {
            Path view = folder.resolve("a/tasks").resolve(task);
            assertThat(view).isDirectoryContaining("glob:**/tokenizer.json");
            assertThat(Files.isSameFile(merged, view.resolve("model-00001-of-00002.safetensors")))
                    .isTrue();
            try (Checkpoint checkpoint = Checkpoint.open(view);
                    RunningModel model = RunningModel.open(checkpoint)) {
                assertThat(model.ownHead().orElseThrow().labels())
                        .isEqualTo(TinyPool.LABELS.get(task));
                assertThat(model.config().architecture())
                        .isEqualTo("BertForSequenceClassification");
            }
        }
        assertThat(json("a/config.json").path("architectures").path(0).asText())
                .isEqualTo("BertModel");
    }

    @Test
    void theFileAnswersAsTheMergeInMemoryDoes() {
        MergeResult result = merge(LEARN, "a", "spam", "hedges", "nouns");
        Batch batch = batch("spam");
        float[] fromFile;
        try (Checkpoint checkpoint = Checkpoint.open(folder.resolve("a/tasks/spam"));
                RunningModel model = RunningModel.open(checkpoint)) {
            fromFile = model.logits(null, batch);
        }
        List<Checkpoint> open = new ArrayList<>();
        try {
            MergePlan plan = plan(open, LEARN, "spam", "hedges", "nouns");
            try (MergedModel merged = MergedModel.of(plan, result.coefficients())) {
                assertThat(merged.model().logits(merged.head("spam"), batch))
                        .containsExactly(fromFile, within(1e-6f));
            }
        } finally {
            open.forEach(Checkpoint::close);
        }
    }

    @Test
    void anotherMethodFillsTheSameMemory() {
        List<Checkpoint> open = new ArrayList<>();
        try {
            MergePlan sum = plan(open, SUM, "spam", "hedges");
            MergePlan average = plan(open, new WeightAveraging(), "spam", "hedges");
            Batch batch = batch("spam");
            try (MergedModel refilled = MergedModel.of(sum, null);
                    MergedModel fresh = MergedModel.of(average, null)) {
                float[] before = refilled.model().logits(refilled.head("spam"), batch);
                refilled.fill(average, null);
                float[] after = refilled.model().logits(refilled.head("spam"), batch);
                assertThat(after).isNotEqualTo(before);
                assertThat(after).isEqualTo(fresh.model().logits(fresh.head("spam"), batch));
            }
        } finally {
            open.forEach(Checkpoint::close);
        }
    }

    @Test
    void theSameRequestGivesTheSameBytesAndTheSameId() {
        MergeResult first = merge(LEARN, "a", "spam", "hedges", "nouns");
        MergeResult second = merge(LEARN, "b", "nouns", "hedges", "spam");
        assertThat(second.identity()).isEqualTo(first.identity());
        assertThat(Digest.ofDirectory(folder.resolve("b")))
                .isEqualTo(Digest.ofDirectory(folder.resolve("a")));
    }

    @Test
    void expertsAreAskedOnceAndDamagedAnswersAgain() throws IOException {
        merge(LEARN, "a", "spam", "hedges");
        Path cache = folder.resolve("cache/teachers");
        List<Path> kept = files(cache);
        assertThat(kept).hasSize(2);
        List<String> before =
                List.of(Digest.of(kept.get(0)).value(), Digest.of(kept.get(1)).value());
        Files.writeString(kept.getFirst(), "damaged");
        MergeResult again = merge(LEARN, "b", "spam", "hedges", "nouns");
        assertThat(files(cache)).hasSize(3).containsAll(kept);
        assertThat(kept.stream().map(file -> Digest.of(file).value())).isEqualTo(before);
        assertThat(again.files().taskFolders()).hasSize(3);
    }

    @Test
    void aNewTaskJoinsWithTheOldCoefficientsKept() {
        MergeResult two = merge(LEARN, "a", "spam", "hedges");
        MergeRequest request = pool.request(LEARN, folder.resolve("b"), "spam", "hedges", "nouns");
        MergeResult three =
                PoolMerger.merge(
                        new MergeRequest(
                                request.base(),
                                request.baseDigest(),
                                request.members(),
                                request.method(),
                                two.coefficients(),
                                null,
                                request.provenance(),
                                request.cacheFolder(),
                                request.targetFolder()),
                        Progress.SILENT);
        Coefficients start = Objects.requireNonNull(three.learnt()).start();
        Coefficients old = Objects.requireNonNull(two.coefficients());
        assertThat(start.of("spam")).isEqualTo(old.of("spam"));
        for (String group : old.groups()) {
            assertThat(start.get("nouns", group))
                    .isCloseTo(
                            (old.get("spam", group) + old.get("hedges", group)) / 2, within(1e-12));
        }
    }

    @Test
    void oneExpertAloneIsTakenWholeWithNothingToLearn() {
        MergeResult result = merge(LEARN, "a", "spam");
        DivMergeResult learnt = Objects.requireNonNull(result.learnt());
        assertThat(learnt.coefficients().values()).containsOnly(1.0);
        assertThat(learnt.steps()).isZero();
        Golden.Tensors merged = Golden.tensors(folder.resolve("a/model.safetensors"));
        Golden.Tensors expert = Golden.tensors(pool.expert("spam").resolve("model.safetensors"));
        merged.byName()
                .forEach((name, values) ->
                        assertThat(values).containsExactly(expert.get(name), within(1e-6f)));
    }

    @Test
    void theLineageSaysWhatWentInAndWhatCameOfIt() throws IOException {
        MergeResult result = merge(LEARN, "a", "spam", "hedges");
        JsonNode lineage = json("a/tributary.json");
        assertThat(lineage.path("id").asText()).isEqualTo(result.identity().digest().value());
        assertThat(lineage.path("pool").asText()).isEqualTo("mail");
        assertThat(lineage.path("members").path(1).path("event_id").asText()).isEqualTo("event-1");
        assertThat(lineage.path("members").path(1).path("calibration").asText())
                .isEqualTo(Digest.of(pool.taskFolder("spam").resolve("calibration.jsonl")).value());
        assertThat(lineage.path("method").path("options").path("seed").asText()).isEqualTo("5");
        assertThat(lineage.path("coefficients").path("spam").path("layer.1").asDouble())
                .isEqualTo(Objects.requireNonNull(result.coefficients()).get("spam", "layer.1"));
        assertThat(lineage.path("losses").path("history")).hasSize(5);
        String card = Files.readString(folder.resolve("a/README.md"));
        assertThat(card)
                .startsWith("---\nbase_model: \"tiny-bert\"\nbase_model_relation: merge\n")
                .contains("# mail, generation 4", "| group | hedges | spam |", "tasks/hedges");
        assertThat(lineage.toString() + card).doesNotContain(folder.toString());
    }

    @Test
    void allThatIsWrongWithAllInputsIsSaidAtOnceAndNothingIsWritten() throws IOException {
        Files.writeString(pool.expert("spam").resolve("model.safetensors"), "not a model");
        Files.writeString(pool.taskFolder("hedges").resolve("calibration.jsonl"), "");
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> merge(LEARN, "a", "spam", "hedges", "nouns"));
        assertThat(refused.faults()).hasSize(2);
        assertThat(refused.faults()).extracting(Fault::where).allMatch(w -> w.contains("/"));
        assertThat(files(folder.resolve("a"))).isEmpty();
    }

    @Test
    void oneCoefficientATensorIsMergedWithThatTensorAlone() throws IOException {
        MergeResult result = merge(learn(Granularity.TENSOR), "a", "spam", "hedges");
        Coefficients learnt = Objects.requireNonNull(result.coefficients());
        Golden.Tensors base = Golden.tensors(pool.base().resolve("model.safetensors"));
        Golden.Tensors merged = Golden.tensors(folder.resolve("a/model.safetensors"));
        assertThat(learnt.groups())
                .isEqualTo(result.groups())
                .containsExactlyInAnyOrderElementsOf(merged.byName().keySet());
        assertThat(learnt.values()).doesNotContain(0.5).doesNotHaveDuplicates();
        merged.byName()
                .forEach((name, values) -> {
                    float[] wanted = base.get(name).clone();
                    for (String task : List.of("spam", "hedges")) {
                        float[] expert =
                                Golden.tensors(pool.expert(task).resolve("model.safetensors"))
                                        .get(name);
                        for (int i = 0; i < wanted.length; i++) {
                            wanted[i] +=
                                    (float)
                                            (learnt.get(task, name)
                                                    * (expert[i] - base.get(name)[i]));
                        }
                    }
                    assertThat(values).as(name).containsExactly(wanted, within(1e-6f));
                });
        String name = "bert.pooler.dense.bias";
        assertThat(json("a/tributary.json").path("coefficients").path("spam").path(name).asDouble())
                .isEqualTo(learnt.get("spam", name));
        assertThat(Files.readString(folder.resolve("a/README.md")))
                .contains("| layer.1 | ", " to ", "all in `tributary.json`")
                .doesNotContain(name);
    }

    @Test
    void aTensorThatIsLeftOutHasNoCoefficient() {
        MergeMethod part =
                MergeMethod.of(
                        "divmerge",
                        Map.of("granularity", "tensor", "max_steps", "1", "exclude", "*bias"));
        MergePlan plan = PoolMerger.plan(pool.request(part, folder.resolve("a"), "spam", "hedges"));
        assertThat(plan.groups()).isNotEmpty().noneMatch(name -> name.endsWith("bias"));
        assertThat(merge(part, "a", "spam", "hedges").groups()).isEqualTo(plan.groups());
    }

    @Test
    void aPlanIsMadeWithoutReadingAWeight() {
        MergePlan plan =
                PoolMerger.plan(pool.request(LEARN, folder.resolve("a"), "spam", "hedges"));
        assertThat(plan.tasks()).containsExactly("hedges", "spam");
        assertThat(plan.peakBytes()).isPositive();
    }

    @Test
    void aRecipeIsPlannedWithoutAFolderToWriteInto() {
        TinyPool.write(folder.resolve("recipe.yml"), TIES_RECIPE);
        MergePlan plan = PoolMerger.plan(Recipe.read(folder.resolve("recipe.yml")));
        assertThat(plan.tasks()).containsExactly("expert0", "expert1");
        assertThat(plan.bytesToWrite()).isPositive();
    }

    @Test
    void aRecipeOfAnotherMethodWritesTheSameKindOfFolder() throws IOException {
        TinyPool.write(folder.resolve("recipe.yml"), TIES_RECIPE);
        Files.createDirectories(folder.resolve("merged"));
        MergeResult result =
                PoolMerger.merge(
                        MergeRequest.of(
                                Recipe.read(folder.resolve("recipe.yml")),
                                folder.resolve("cache"),
                                folder.resolve("merged")),
                        Progress.SILENT);
        assertThat(result.coefficients()).isNull();
        assertThat(Files.readString(folder.resolve("merged/README.md")))
                .contains("| task | expert | weight | density |", "| 0.5 | 0.25 |");
        assertThat(json("merged/config.json").path("torch_dtype").asText()).isEqualTo("bfloat16");
        try (Checkpoint view = Checkpoint.open(folder.resolve("merged/tasks/expert0"))) {
            assertThat(view.tensors().get("bert.pooler.dense.bias"))
                    .extracting("dtype")
                    .isEqualTo(dev.tributary.tensors.Dtype.BF16);
        }
    }

    @Test
    void aRecipeIsMergedAsWrittenAndItsTasksAreKnownByTheirOwnNames() throws IOException {
        TinyPool.write(
                folder.resolve("recipe.yml"),
                """
                merge_method: divmerge
                base_model: base
                models:
                  - model: expert0
                  - model: expert1
                tasks:
                  expert0: tasks/spam
                  expert1: tasks/hedges
                parameters: {max_steps: 2, evaluate_every: 1, calibration_items: 6}
                """);
        Files.createDirectories(folder.resolve("merged"));
        MergeResult result =
                PoolMerger.merge(
                        MergeRequest.of(
                                Recipe.read(folder.resolve("recipe.yml")),
                                folder.resolve("cache"),
                                folder.resolve("merged")),
                        Progress.SILENT);
        assertThat(result.files().taskFolders()).containsExactly("hedges", "spam");
        assertThat(result.taskVectorNorms()).isEmpty();
        assertThat(json("merged/tributary.json").path("pool").isMissingNode()).isTrue();
        assertThat(Files.readString(folder.resolve("merged/README.md")))
                .contains("# Merge of expert0, expert1");
    }

    @Test
    void theProgressOfEveryStageIsTold() {
        List<String> stages = Collections.synchronizedList(new ArrayList<>());
        PoolMerger.merge(
                pool.request(LEARN, folder.resolve("a"), "spam", "hedges"),
                (stage, done, total) -> {
                    stages.add(stage.replaceFirst(",.*", ""));
                    assertThat(done).isBetween(0L, total);
                });
        assertThat(stages).contains("asking experts", "optimising", "merging");
    }

    private MergeResult merge(MergeMethod method, String target, String... tasks) {
        return PoolMerger.merge(
                pool.request(method, folder.resolve(target), tasks), Progress.SILENT);
    }

    private MergePlan plan(List<Checkpoint> open, MergeMethod method, String... tasks) {
        List<Member> members = new ArrayList<>();
        for (String task : tasks) {
            Checkpoint expert = Checkpoint.open(pool.expert(task));
            open.add(expert);
            members.add(
                    new Member(
                            task,
                            expert,
                            Digest.ofText(task),
                            CalibrationSet.read(pool.taskFolder(task))));
        }
        Checkpoint base = Checkpoint.open(pool.base());
        open.add(base);
        return MergePlanner.plan(base, members, method);
    }

    private Batch batch(String task) {
        CalibrationSet calibration = CalibrationSet.read(pool.taskFolder(task));
        try (TextTokenizer tokenizer = TextTokenizer.open(pool.base())) {
            return tokenizer.encode(calibration.inputs(), calibration.maxTokens());
        }
    }

    private JsonNode json(String file) throws IOException {
        return new ObjectMapper().readTree(Files.readString(folder.resolve(file)));
    }

    private static List<Path> files(Path folder) throws IOException {
        try (var list = Files.list(folder)) {
            return list.sorted().toList();
        }
    }
}
