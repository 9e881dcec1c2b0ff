package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.models.Example;
import dev.tributary.models.RunningModel;
import dev.tributary.models.Scorer;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.models.TextTokenizer;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Scales chosen on validation examples, held to merges that were written with each value and
/// scored as any checkpoint.
class ScaleTunerTest {
    private static final List<String> TASKS = List.of("spam", "hedges");
    private static final List<Double> VALUES = List.of(-0.5, 0.1, 0.6, 1.4);

    @TempDir private Path folder;

    private TinyPool pool;

    @BeforeEach
    void pool() {
        pool = new TinyPool(folder);
        TASKS.forEach(this::label);
    }

    /// Labels a task's validation texts as its expert does, but for every fourth.
    private void label(String task) {
        TaskDefinition definition = TaskDefinition.read(pool.taskFolder(task));
        List<Example> examples = definition.examples(Split.VALIDATION);
        int labels = definition.labels().size();
        StringBuilder lines = new StringBuilder();
        try (Checkpoint expert = Checkpoint.open(pool.expert(task));
                RunningModel model = RunningModel.open(expert);
                TextTokenizer tokenizer = TextTokenizer.open(pool.base())) {
            float[] answers =
                    Scorer.logProbabilities(
                            model,
                            null,
                            tokenizer.tokenize(examples, definition.maxTokens()),
                            labels);
            for (int i = 0; i < examples.size(); i++) {
                int label = 0;
                for (int other = 1; other < labels; other++) {
                    label =
                            answers[i * labels + other] > answers[i * labels + label]
                                    ? other
                                    : label;
                }
                lines.append(
                        "{\"text\": \"%s\", \"label\": \"LABEL_%d\"}\n"
                                .formatted(
                                        examples.get(i).text(),
                                        i % 4 == 3 ? (label + 1) % labels : label));
            }
        }
        TinyPool.write(pool.taskFolder(task).resolve("validation.jsonl"), lines.toString());
    }

    @Test
    void everyCandidateScoresAsTheSameMergeWrittenAndTheBestIsWritten() {
        MergeResult result = merge("task_arithmetic", "weight: 1", grid(), "tuned");
        ScaleChoice tuning = Objects.requireNonNull(result.tuning());
        for (int v = 0; v < VALUES.size(); v++) {
            ScaleChoice.Candidate candidate = tuning.candidates().get(v);
            String target = "plain" + v;
            plain(VALUES.get(v), target);
            double sum = 0;
            for (String task : TASKS) {
                double metric = score(folder.resolve(target).resolve("tasks").resolve(task), task);
                double own = score(pool.expert(task), task);
                assertThat(candidate.metrics()).containsEntry(task, metric);
                assertThat(tuning.experts()).containsEntry(task, own);
                sum += metric / own;
            }
            assertThat(candidate.value()).isEqualTo(VALUES.get(v));
            assertThat(candidate.score()).isCloseTo(sum / TASKS.size(), within(1e-12));
        }
        assertThat(tuning.candidates().stream().map(ScaleChoice.Candidate::score).distinct())
                .as("values that matter")
                .hasSizeGreaterThan(1);
        Path best = folder.resolve("plain" + VALUES.indexOf(tuning.chosen().value()));
        Golden.Tensors written = Golden.tensors(folder.resolve("tuned/model.safetensors"));
        Golden.tensors(best.resolve("model.safetensors"))
                .byName()
                .forEach((name, values) -> assertThat(written.get(name)).isEqualTo(values));
    }

    private void plain(double lambda, String target) {
        PoolMerger.merge(
                pool.request(
                        MergeMethod.of(
                                "task_arithmetic", Map.of("lambda", Double.toString(lambda))),
                        folder.resolve(target),
                        "spam",
                        "hedges"),
                Progress.SILENT);
    }

    @Test
    void theScoresStandInLineageAndModelCard() throws IOException {
        MergeResult result = merge("ties", "weight: 1", grid(), "tuned");
        ScaleChoice tuning = Objects.requireNonNull(result.tuning());
        JsonNode lineage = json("tuned");
        JsonNode tuned = lineage.path("tuning");
        assertThat(tuned.path("option").asText()).isEqualTo("lambda");
        assertThat(tuned.path("score").asText()).isEqualTo("normalized");
        assertThat(tuned.path("chosen").asDouble()).isEqualTo(tuning.chosen().value());
        assertThat(lineage.path("method").path("options").path("lambda").asDouble())
                .isEqualTo(tuning.chosen().value());
        assertThat(tuned.path("candidates")).hasSize(VALUES.size());
        assertThat(tuned.path("candidates").path(2).path("metrics").path("spam").asDouble())
                .isEqualTo(tuning.candidates().get(2).metrics().get("spam"));
        assertThat(tuned.path("experts").path("hedges").asDouble()).isEqualTo(0.75);
        assertThat(tuned.path("validation").path("hedges").asText()).startsWith("sha256:");
        assertThat(Files.readString(folder.resolve("tuned/README.md")))
                .contains(
                        "## Tuning",
                        "| lambda | score | hedges | spam |",
                        "| **%s** |".formatted(tuning.chosen().value()),
                        "| experts | | 0.7500 | 0.7500 |");
    }

    @Test
    void whatRunningExpertsToldIsGatheredOnceForAllValues() throws IOException {
        List<String> stages = new ArrayList<>();
        MergeResult result =
                merge(
                        "lot",
                        "calibration_items: 4",
                        grid(),
                        "tuned",
                        (stage, done, total) -> {
                            synchronized (stages) {
                                stages.add("%s %d/%d".formatted(stage, done, total));
                            }
                        });
        assertThat(Objects.requireNonNull(result.tuning()).candidates()).hasSize(VALUES.size());
        assertThat(stages).filteredOn(s -> s.startsWith("running experts")).hasSize(2);
        assertThat(stages).contains("choosing lambda 0/4");
        assertThat(stages).anyMatch(s -> s.matches("choosing lambda, about \\d+ s left 4/4"));
    }

    @Test
    void theSmallerOfTwoEquallyGoodValuesIsTaken() {
        List<ScaleChoice.Candidate> candidates =
                List.of(
                        new ScaleChoice.Candidate(0.1, 0.8, new TreeMap<>()),
                        new ScaleChoice.Candidate(0.3, 0.9, new TreeMap<>()),
                        new ScaleChoice.Candidate(0.5, 0.9, new TreeMap<>()),
                        new ScaleChoice.Candidate(0.7, 0.2, new TreeMap<>()));
        assertThat(choice(candidates).chosen().value()).isEqualTo(0.3);
        assertThat(choice(candidates.reversed()).chosen().value()).isEqualTo(0.3);
    }

    private ScaleChoice choice(List<ScaleChoice.Candidate> candidates) {
        ScaleGrid grid = Objects.requireNonNull(recipe("ties", "weight: 1", grid()).tune());
        return new ScaleChoice(grid, new TreeMap<>(), new TreeMap<>(), candidates);
    }

    @Test
    void anExpertThatIsNeverRightCannotBeDividedBy() {
        wrongLabels("spam");
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> merge("ties", "weight: 1", grid(), "a"));
        assertThat(refused.faults())
                .extracting(Fault::toString)
                .containsExactly(
                        "[tune.score] the expert of spam itself scores 0.0 on its validation set,"
                                + " expected more than 0 to divide by: tune by the plain metric");
        ScaleChoice byMetric =
                Objects.requireNonNull(
                        merge("ties", "weight: 1", "tune: {lambda: [0.5, 1], score: metric}", "b")
                                .tuning());
        assertThat(byMetric.experts()).isEmpty();
        assertThat(byMetric.chosen().score())
                .isEqualTo(
                        byMetric.chosen().metrics().values().stream()
                                .mapToDouble(Double::doubleValue)
                                .average()
                                .orElseThrow());
    }

    private void wrongLabels(String task) {
        Path file = pool.taskFolder(task).resolve("validation.jsonl");
        try {
            List<String> lines = Files.readAllLines(file);
            String wrong = "LABEL_9";
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < lines.size(); i++) {
                String line = lines.get(i);
                for (int label = 0; label < 3; label++) {
                    line = line.replace("LABEL_" + label + "\"", wrong + (label + 1) % 3 + "\"");
                }
                text.append(i % 4 == 3 ? "" : line.replace(wrong, "LABEL_") + "\n");
            }
            Files.writeString(file, text);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void tasksWithoutValidationExamplesAreAllNamedBeforeAnythingIsRead() throws IOException {
        for (String task : TASKS) {
            Path definition = pool.taskFolder(task).resolve("task.yaml");
            Files.writeString(
                    definition,
                    Files.readString(definition).replace("validation: validation.jsonl\n", ""));
        }
        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class,
                        () -> PoolMerger.plan(recipe("ties", "weight: 1", grid())));
        assertThat(refused.faults())
                .extracting(Fault::toString)
                .containsExactlyInAnyOrder(
                        "[task spam] no validation file: name one under 'validation'",
                        "[task hedges] no validation file: name one under 'validation'");
        assertThat(refused.faults()).extracting(Fault::code).containsOnly(FailureCode.BAD_TASK);
    }

    @Test
    void aPlanCountsWhatTryingOutCosts() {
        MergePlan plain = PoolMerger.plan(recipe("ties", "weight: 1", ""));
        MergePlan tuned = PoolMerger.plan(recipe("ties", "weight: 1", grid()));
        assertThat(tuned.bytesToRead()).isGreaterThan(4 * plain.bytesToRead());
        assertThat(tuned.peakBytes()).isGreaterThan(plain.peakBytes());
        assertThat(tuned.bytesToWrite()).isEqualTo(plain.bytesToWrite());
    }

    private static String grid() {
        return "tune: {lambda: %s}".formatted(VALUES.reversed());
    }

    private Recipe recipe(String method, String parameters, String tune) {
        boolean tasks = !tune.isEmpty();
        TinyPool.write(
                folder.resolve("recipe.yml"),
                """
                merge_method: %s
                base_model: base
                models:
                  - model: expert0
                  - model: expert1
                %s
                parameters: {%s}
                %s
                """
                        .formatted(
                                method,
                                tasks ? "tasks: {expert0: tasks/spam, expert1: tasks/hedges}" : "",
                                parameters,
                                tune));
        return Recipe.read(folder.resolve("recipe.yml"));
    }

    private MergeResult merge(String method, String parameters, String tune, String target) {
        return merge(method, parameters, tune, target, Progress.SILENT);
    }

    private MergeResult merge(
            String method, String parameters, String tune, String target, Progress progress) {
        try {
            Files.createDirectories(folder.resolve(target));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return PoolMerger.merge(
                recipe(method, parameters, tune),
                folder.resolve("cache"),
                folder.resolve(target),
                progress);
    }

    private double score(Path checkpoint, String task) {
        TaskDefinition definition = TaskDefinition.read(pool.taskFolder(task));
        List<Example> examples = definition.examples(Split.VALIDATION);
        try (Checkpoint opened = Checkpoint.open(checkpoint);
                RunningModel model = RunningModel.open(opened);
                Scorer scorer = Scorer.open(definition, examples, pool.base())) {
            return scorer.score(model, null).value();
        }
    }

    private JsonNode json(String target) throws IOException {
        return new ObjectMapper()
                .readTree(folder.resolve(target).resolve("tributary.json").toFile());
    }
}
