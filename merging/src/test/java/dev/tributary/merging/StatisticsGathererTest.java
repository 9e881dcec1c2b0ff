package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MergeTensor;
import dev.tributary.merging.method.Statistic;
import dev.tributary.models.Batch;
import dev.tributary.models.CalibrationSet;
import dev.tributary.models.ExampleGradients;
import dev.tributary.models.LayerWatcher;
import dev.tributary.models.RunningModel;
import dev.tributary.models.TextTokenizer;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Running three small BERT classifiers for what methods ask of them, and merging by it.
class StatisticsGathererTest {
    private static final String QUERY = "encoder.layer.1.attention.self.query.weight";
    private static final String INNER = "encoder.layer.0.output.dense.weight";

    @TempDir private Path folder;

    private final List<Checkpoint> open = new ArrayList<>();
    private TinyPool pool;

    @BeforeEach
    void pool() {
        pool = new TinyPool(folder);
    }

    @AfterEach
    void close() {
        open.forEach(Checkpoint::close);
    }

    private MergeResult merge(MergeMethod method, String target, String... tasks) {
        return PoolMerger.merge(
                pool.request(method, folder.resolve(target), tasks), Progress.SILENT);
    }

    private static MergeMethod method(String id, String... options) {
        Map<String, String> byName = new HashMap<>();
        for (int i = 0; i < options.length; i += 2) {
            byName.put(options[i], options[i + 1]);
        }
        return MergeMethod.of(id, byName);
    }

    private MergePlan plan(MergeMethod method, String... tasks) {
        List<Member> members = new ArrayList<>();
        for (String task : tasks) {
            Checkpoint expert = Checkpoint.open(pool.expert(task));
            open.add(expert);
            members.add(
                    new Member(
                            task,
                            expert,
                            Digest.ofDirectory(pool.expert(task)),
                            CalibrationSet.read(pool.taskFolder(task))));
        }
        Checkpoint base = Checkpoint.open(pool.base());
        open.add(base);
        return MergePlanner.plan(base, members, method);
    }

    private GatheredStatistics gather(MergePlan plan, Progress progress) {
        return StatisticsGatherer.gather(
                plan, Digest.ofDirectory(pool.base()), folder.resolve("cache"), progress);
    }

    private static MergeTensor tensor(MergePlan plan, String canonicalName) {
        PlanInputs inputs =
                new PlanInputs(
                        plan.base(), plan.members(), plan.groups(), plan.shared(), null, null);
        return plan.shared().stream()
                .filter(t -> t.name().equals(canonicalName))
                .map(inputs::of)
                .findFirst()
                .orElseThrow();
    }

    private static float[] values(
            GatheredStatistics gathered, Statistic statistic, int expert, MergeTensor tensor) {
        return gathered.of(statistic, expert, tensor)
                .orElseThrow()
                .toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    /// The task's inputs, one text a batch: nothing is padded.
    private List<Batch> texts(String task) {
        CalibrationSet calibration = CalibrationSet.read(pool.taskFolder(task));
        try (TextTokenizer tokenizer = TextTokenizer.open(pool.base())) {
            return calibration.inputs().stream()
                    .map(input -> tokenizer.encode(List.of(input), calibration.maxTokens()))
                    .toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {QUERY, INNER})
    void aGramMatrixIsTheSumOverTheExpertsOwnTokensHoweverTheyWereBatched(String name) {
        MergePlan plan = plan(method("regmean"), "spam", "hedges");
        List<Batch> texts = texts("spam");
        long tokens = texts.stream().mapToLong(Batch::tokens).sum();
        try (GatheredStatistics gathered = gather(plan, Progress.SILENT);
                RunningModel spam = RunningModel.open(plan.members().get(1).expert())) {
            float[] gram = values(gathered, Statistic.INPUT_GRAM, 1, tensor(plan, name));
            double[] expected = new double[gram.length];
            texts.forEach(text -> spam.watch(null, text, adding(name, expected)));
            for (int i = 0; i < gram.length; i++) {
                assertThat((double) gram[i]).isCloseTo(expected[i], within(1e-5 * tokens));
            }
            assertThat(gathered.count(Statistic.INPUT_GRAM, 1, tensor(plan, name)))
                    .isEqualTo(tokens);
        }
    }

    private static LayerWatcher adding(String name, double[] gram) {
        return new LayerWatcher() {
            @Override
            public void linear(List<String> weights, Rows inputs) {
                if (weights.contains(name)) {
                    float[] x = inputs.values().toArray(ValueLayout.JAVA_FLOAT);
                    int width = inputs.width();
                    for (int row = 0; row < inputs.count(); row++) {
                        for (int i = 0; i < gram.length; i++) {
                            gram[i] +=
                                    (double) x[row * width + i / width]
                                            * x[row * width + i % width];
                        }
                    }
                }
            }

            @Override
            public void norm(String scale, Rows normalized) {
                // Not what is looked at.
            }
        };
    }

    @Test
    void queryKeyAndValueShareOneGramMatrixAndEmbeddingsHaveNone() {
        MergePlan plan = plan(method("regmean"), "spam", "hedges");
        try (GatheredStatistics gathered = gather(plan, Progress.SILENT)) {
            MergeTensor key = tensor(plan, QUERY.replace("query", "key"));
            assertThat(values(gathered, Statistic.INPUT_GRAM, 0, key))
                    .isEqualTo(values(gathered, Statistic.INPUT_GRAM, 0, tensor(plan, QUERY)));
            for (String name :
                    List.of(
                            "embeddings.word_embeddings.weight",
                            "embeddings.LayerNorm.weight",
                            QUERY.replace("weight", "bias"))) {
                assertThat(gathered.of(Statistic.INPUT_GRAM, 0, tensor(plan, name))).isEmpty();
                assertThat(gathered.count(Statistic.INPUT_GRAM, 0, tensor(plan, name))).isZero();
            }
        }
    }

    @Test
    void scalesHaveSquaresAndShiftsHaveNone() {
        MergePlan plan = plan(method("lot"), "spam", "hedges");
        try (GatheredStatistics gathered = gather(plan, Progress.SILENT)) {
            MergeTensor scale = tensor(plan, "encoder.layer.0.output.LayerNorm.weight");
            float[] squares = values(gathered, Statistic.INPUT_SQUARES, 0, scale);
            double sum = 0;
            for (float square : squares) {
                sum += square;
            }
            // A normalised vector has a mean square of one.
            double tokens = (double) gathered.count(Statistic.INPUT_SQUARES, 0, scale);
            assertThat(sum / squares.length).isCloseTo(tokens, within(1e-3 * tokens));
            assertThat(
                            gathered.of(
                                    Statistic.INPUT_SQUARES,
                                    0,
                                    tensor(plan, "encoder.layer.0.output.LayerNorm.bias")))
                    .isEmpty();
        }
    }

    @Test
    void fishersInformationIsTheMeanOverTextsOfTheExpertsOwn() {
        MergePlan plan = plan(method("fisher"), "spam", "hedges");
        try (GatheredStatistics gathered = gather(plan, Progress.SILENT);
                RunningModel spam = RunningModel.open(plan.members().get(1).expert());
                ExampleGradients gradients =
                        new ExampleGradients(
                                spam, Set.of(INNER), ExampleGradients.Measure.SQUARED)) {
            List<Batch> texts = texts("spam");
            texts.forEach(text -> gradients.addExpected(spam.ownHead().orElseThrow(), text));
            float[] sums = gradients.sum(INNER).toArray(ValueLayout.JAVA_FLOAT);
            float[] means = values(gathered, Statistic.FISHER, 1, tensor(plan, INNER));
            for (int i = 0; i < sums.length; i++) {
                assertThat(means[i])
                        .isCloseTo(
                                sums[i] / texts.size(), within(1e-4f * Math.abs(sums[i]) + 1e-9f));
            }
        }
    }

    @Test
    void gradientsOfTheTrustRegionAreTakenAtTheBase() {
        MergePlan plan = plan(method("tatr"), "spam", "hedges");
        try (GatheredStatistics gathered = gather(plan, Progress.SILENT);
                RunningModel spam = RunningModel.open(plan.members().get(1).expert());
                RunningModel base = RunningModel.open(plan.base());
                Heads heads = Heads.open(base, plan);
                ExampleGradients gradients =
                        new ExampleGradients(
                                base, Set.of(INNER), ExampleGradients.Measure.ABSOLUTE)) {
            List<Batch> texts = texts("spam");
            for (Batch text : texts) {
                float[] logits = spam.logits(null, text);
                int answer = 0;
                for (int label = 1; label < logits.length; label++) {
                    answer = logits[label] > logits[answer] ? label : answer;
                }
                gradients.addLabelled(Objects.requireNonNull(heads.of("spam")), text, answer);
            }
            float[] sums = gradients.sum(INNER).toArray(ValueLayout.JAVA_FLOAT);
            float[] means = values(gathered, Statistic.ABSOLUTE_GRADIENT, 1, tensor(plan, INNER));
            for (int i = 0; i < sums.length; i++) {
                assertThat(means[i])
                        .isCloseTo(sums[i] / texts.size(), within(1e-4f * sums[i] + 1e-9f));
            }
        }
    }

    /// Says which experts were run.
    private static Progress runs(List<Long> totals) {
        return (stage, done, total) -> {
            if (stage.equals("running experts") && done == 0) {
                totals.add(total);
            }
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr"})
    void onlyAnExpertThatJoinsIsRun(String id) {
        List<Long> totals = new ArrayList<>();
        gather(plan(method(id), "spam", "hedges"), runs(totals)).close();
        gather(plan(method(id), "spam", "hedges"), runs(totals)).close();
        gather(plan(method(id), "spam", "hedges", "nouns"), runs(totals)).close();
        assertThat(totals).containsExactly(2L, 1L);
    }

    @Test
    void whatIsLeftOutOfAMergeStillTakesPartInRunningTheExpert() {
        List<Long> totals = new ArrayList<>();
        gather(plan(method("regmean"), "spam", "hedges"), runs(totals)).close();
        MergePlan selective = plan(method("regmean", "exclude", "*layer.0*"), "spam", "hedges");
        gather(selective, runs(totals)).close();
        assertThat(totals).as("the same sums serve both").containsExactly(2L);
    }

    @Test
    void otherInputsAreOtherSums() {
        List<Long> totals = new ArrayList<>();
        gather(plan(method("regmean"), "spam", "hedges"), runs(totals)).close();
        gather(plan(method("regmean", "calibration_items", "5"), "spam", "hedges"), runs(totals))
                .close();
        assertThat(totals).containsExactly(2L, 2L);
    }

    @Test
    void damagedSumsAreTakenAgain() throws IOException {
        Path once = merged("regmean", "a", "spam", "hedges");
        for (Path entry : files(folder.resolve("cache/statistics"))) {
            Path file = entry.resolve("model.safetensors");
            byte[] bytes = Files.readAllBytes(file);
            bytes[bytes.length - 3] ^= 0x40;
            Files.write(file, bytes);
        }
        List<Long> totals = new ArrayList<>();
        gather(plan(method("regmean"), "spam", "hedges"), runs(totals)).close();
        assertThat(totals).containsExactly(2L);
        assertThat(Files.mismatch(once, merged("regmean", "b", "spam", "hedges"))).isEqualTo(-1);
        assertThat(files(folder.resolve("cache/statistics"))).hasSize(2);
    }

    private Path merged(String id, String target, String... tasks) {
        return merge(method(id), target, tasks).files().folder().resolve("model.safetensors");
    }

    private static List<Path> files(Path folder) {
        try (var list = Files.list(folder)) {
            return list.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr"})
    void aMergeHasTheSameBytesInAnyOrderAndWithKnownSums(String id) throws IOException {
        Path first = merged(id, "a", "spam", "hedges", "nouns");
        Path second = merged(id, "b", "nouns", "spam", "hedges");
        assertThat(Files.mismatch(first, second)).isEqualTo(-1);
        assertThat(Golden.tensors(first).byName())
                .isNotEqualTo(
                        Golden.tensors(merged("weight_averaging", "c", "spam", "hedges", "nouns"))
                                .byName());
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr"})
    void experimentsCanBeFilledIntoAModelInMemory(String id) {
        MergePlan plan = plan(method(id), "spam", "hedges");
        Golden.Tensors file = Golden.tensors(merged(id, "a", "spam", "hedges"));
        try (GatheredStatistics gathered = gather(plan, Progress.SILENT);
                MergedModel model = MergedModel.of(plan, null, gathered)) {
            assertThat(model.model().weights(QUERY).toArray(ValueLayout.JAVA_FLOAT))
                    .isEqualTo(file.get("bert." + QUERY));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"fisher", "regmean", "lot", "cat", "tatr", "adamerging", "divmerge"})
    void aNanInAnExpertIsRefusedByNameBeforeItRuns(String id) throws IOException {
        Path weights = pool.expert("spam").resolve("model.safetensors");
        Golden.Tensors tensors = Golden.tensors(weights);
        TinyCheckpoint broken = new TinyCheckpoint();
        try (Checkpoint expert = Checkpoint.open(pool.expert("spam"))) {
            expert.tensors()
                    .forEach((name, info) -> {
                        float[] values = tensors.get(name).clone();
                        if (name.endsWith(INNER)) {
                            values[7] = Float.NaN;
                        }
                        broken.with(name, info.dtype(), info.shape(), values);
                    });
            broken.config(expert.config().toString());
        }
        broken.write(pool.expert("spam"));
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> merge(method(id), "a", "spam", "hedges"));
        Fault fault = refused.faults().getFirst();
        assertThat(fault.code()).isEqualTo(FailureCode.NON_FINITE);
        assertThat(fault.where()).isEqualTo("spam " + INNER);
    }

    @Test
    void aPoolsInputsHaveNoLabelsToLearnFrom() {
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class,
                        () -> merge(method("tatr", "labels", "given"), "a", "spam", "hedges"));
        assertThat(refused.faults()).extracting(Fault::code).containsOnly(FailureCode.BAD_TASK);
        assertThat(refused.faults().getFirst().sentence())
                .contains("inputs without labels", "labels to predicted");
    }

    @Test
    void labelsComeFromTrainingExamplesOnly() throws IOException {
        Set<String> ids = new HashSet<>();
        for (String label : List.of("LABEL_0", "LABEL_1")) {
            for (String task : List.of("spam", "hedges")) {
                Path definition = folder.resolve("own").resolve(task);
                String text =
                        Files.readString(pool.taskFolder(task).resolve("task.yaml"))
                                .replace("calibration: calibration.jsonl", "train: train.jsonl")
                                .replace("validation: validation.jsonl", "");
                TinyPool.write(definition.resolve("task.yaml"), text);
                TinyPool.write(
                        definition.resolve("train.jsonl"),
                        "{\"text\": \"w4 w5\", \"label\": \"%s\"}\n{\"text\": \"w6\", \"label\": \"LABEL_0\"}\n"
                                .formatted(label));
            }
            MergeRequest request =
                    pool.request(
                            method("tatr", "labels", "given"),
                            folder.resolve(label),
                            "spam",
                            "hedges");
            List<MergeRequest.RequestedMember> members =
                    request.members().stream()
                            .map(m ->
                                    new MergeRequest.RequestedMember(
                                            m.task(),
                                            m.expert(),
                                            m.digest(),
                                            folder.resolve("own").resolve(m.task())))
                            .toList();
            MergeResult result =
                    PoolMerger.merge(
                            new MergeRequest(
                                    request.base(),
                                    request.baseDigest(),
                                    members,
                                    request.method(),
                                    null,
                                    null,
                                    request.provenance(),
                                    request.cacheFolder(),
                                    request.targetFolder()),
                            Progress.SILENT);
            ids.add(result.identity().digest().value());
        }
        assertThat(ids).as("other labels, another generation").hasSize(2);
        assertThat(files(folder.resolve("cache/statistics"))).hasSize(4);
    }

    @Test
    void tiesInATrustRegionRunsEveryExpertOnceAndSharesWhatTatrKnows() throws IOException {
        merge(method("tatr"), "a", "spam", "hedges");
        MergeResult result =
                merge(method("ties", "trust_region", "predicted"), "b", "spam", "hedges");
        assertThat(files(folder.resolve("cache/statistics"))).hasSize(2);
        MergeResult plain = merge(method("ties"), "c", "spam", "hedges");
        assertThat(result.identity()).isNotEqualTo(plain.identity());
        assertThat(Golden.tensors(folder.resolve("b/model.safetensors")).get("bert." + INNER))
                .isNotEqualTo(
                        Golden.tensors(folder.resolve("c/model.safetensors")).get("bert." + INNER));
        assertThat(Files.readString(folder.resolve("b/README.md")))
                .contains("trust_region predicted");
    }

    @Test
    void aMethodThatAsksForNothingRunsNothing() {
        merge(method("ties", "trust_region", "zero_shot"), "b", "spam", "hedges");
        merge(method("tatr", "zero_shot", "true"), "a", "spam", "hedges");
        assertThat(Optional.of(folder.resolve("cache/statistics")).filter(Files::exists)).isEmpty();
        assertThat(Objects.requireNonNull(folder.toFile().list())).contains("a");
    }
}
