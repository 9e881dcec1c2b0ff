package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FineTunerTest {
    private static final FineTuning SETTINGS =
            FineTuning.defaults().withEpochs(8).withLearningRates(2e-3, 5e-3);

    @TempDir Path scratch;
    Path base;
    Path target;
    TaskDefinition task;

    @BeforeEach
    void write() {
        base = ToyTask.writeBase(scratch.resolve("base"), false);
        task = ToyTask.write(scratch.resolve("task"));
        target = scratch.resolve("out/expert");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void anExpertLearnsItsTask(boolean baseHasPooler) {
        Path own = ToyTask.writeBase(scratch.resolve("own-base"), baseHasPooler);

        FineTuned result =
                new FineTuner(SETTINGS, FineTuningProgress.SILENT).run(own, task, target);

        assertThat(result.validation()).isGreaterThanOrEqualTo(0.95);
        assertThat(result.checkpoint()).isEqualTo(target);
        try (Checkpoint expert = Checkpoint.open(target)) {
            Scores scores = Scorer.score(expert, task, Split.VALIDATION);
            assertThat(scores.value()).isEqualTo(result.validation());
        }
    }

    @Test
    void theExpertHasTheNamesTransformersGivesIts() {
        new FineTuner(SETTINGS.withEpochs(1), FineTuningProgress.SILENT).run(base, task, target);

        try (Checkpoint expert = Checkpoint.open(target);
                Checkpoint saved = Checkpoint.open(Fixture.named("bert_cls").folder())) {
            assertThat(expert.tensors().keySet())
                    .containsExactlyElementsOf(saved.tensors().keySet());
            JsonNode config = expert.config();
            assertThat(config.path("architectures").path(0).asText())
                    .isEqualTo("BertForSequenceClassification");
            assertThat(config.path("problem_type").asText())
                    .isEqualTo("single_label_classification");
            assertThat(config.path("id2label").toString())
                    .isEqualTo("{\"0\":\"blame\",\"1\":\"praise\"}");
            assertThat(config.path("label2id").toString()).isEqualTo("{\"blame\":0,\"praise\":1}");
            assertThat(ModelConfig.of(config, "config.json").labels()).isEqualTo(task.labels());
        }
        assertThat(Digest.of(target.resolve("tokenizer.json")))
                .isEqualTo(Digest.of(base.resolve("tokenizer.json")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"roberta_cls", "distilbert_cls"})
    void expertsOfOtherFamiliesLearnTheirTasksToo(String family) throws Exception {
        Path source = Fixture.named(family).folder();
        Path own = Files.createDirectories(scratch.resolve("own-base"));
        for (String name : List.of("config.json", "model.safetensors")) {
            Files.copy(source.resolve(name), own.resolve(name));
        }
        Files.copy(base.resolve("tokenizer.json"), own.resolve("tokenizer.json"));

        FineTuned result =
                new FineTuner(SETTINGS, FineTuningProgress.SILENT).run(own, task, target);

        assertThat(result.validation()).isGreaterThanOrEqualTo(0.95);
        try (Checkpoint expert = Checkpoint.open(target);
                Checkpoint saved = Checkpoint.open(source)) {
            assertThat(Scorer.score(expert, task, Split.VALIDATION).value())
                    .isEqualTo(result.validation());
            assertThat(expert.tensors().keySet())
                    .containsExactlyElementsOf(saved.tensors().keySet());
            assertThat(expert.config().path("architectures"))
                    .isEqualTo(saved.config().path("architectures"));
        }
    }

    @Test
    void frozenEmbeddingsStayTheBases() {
        new FineTuner(SETTINGS.withEpochs(1), FineTuningProgress.SILENT).run(base, task, target);
        Path thawed = scratch.resolve("thawed");
        new FineTuner(SETTINGS.withEpochs(1).withFrozenEmbeddings(false), FineTuningProgress.SILENT)
                .run(base, task, thawed);

        String words = "embeddings.word_embeddings.weight";
        String query = "encoder.layer.0.attention.self.query.weight";
        try (Checkpoint before = Checkpoint.open(base);
                Checkpoint frozen = Checkpoint.open(target);
                Checkpoint moved = Checkpoint.open(thawed)) {
            float[] original = Fixture.floats(before, words);
            assertThat(Fixture.floats(frozen, "bert." + words)).isEqualTo(original);
            assertThat(Fixture.floats(moved, "bert." + words)).isNotEqualTo(original);
            assertThat(Fixture.floats(frozen, "bert." + query))
                    .isNotEqualTo(Fixture.floats(before, query));
        }
    }

    @Test
    void theSameSeedGivesTheSameBytes() {
        FineTuner tuner = new FineTuner(SETTINGS.withEpochs(2), FineTuningProgress.SILENT);

        tuner.run(base, task, target);
        tuner.run(base, task, scratch.resolve("again"));
        new FineTuner(SETTINGS.withEpochs(2).withSeed(5), FineTuningProgress.SILENT)
                .run(base, task, scratch.resolve("other"));

        Digest digest = Digest.ofDirectory(target);
        assertThat(Digest.ofDirectory(scratch.resolve("again"))).isEqualTo(digest);
        assertThat(Digest.ofDirectory(scratch.resolve("other"))).isNotEqualTo(digest);
    }

    @Test
    void progressTellsLossScoreAndTimeLeft() {
        List<FineTuningProgress> told = new ArrayList<>();

        FineTuned result =
                new FineTuner(SETTINGS.withEpochs(3).withMaxExamples(100), told::add)
                        .run(base, task, target);

        assertThat(result.steps()).isEqualTo(12);
        assertThat(told).extracting(FineTuningProgress::step).hasSize(12).isSorted();
        assertThat(told).extracting(FineTuningProgress::steps).containsOnly(12);
        assertThat(told.stream().filter(at -> at.validation().isPresent()))
                .extracting(FineTuningProgress::epoch)
                .containsExactly(1, 2, 3);
        assertThat(told.getLast().remaining()).isEqualTo(Duration.ZERO);
        assertThat(told.getLast().loss()).isLessThan(told.getFirst().loss());
        assertThat(told).allMatch(at -> at.tokensPerSecond() > 0);
    }

    @Test
    void itStopsWhenTheScoreNoLongerRises() {
        FineTuned result =
                new FineTuner(
                                SETTINGS.withEpochs(50).withLearningRates(1e-9, 1e-9),
                                FineTuningProgress.SILENT)
                        .run(base, task, target);

        assertThat(result.epochScores()).hasSize(1 + SETTINGS.patience());
        assertThat(result.validation()).isEqualTo(result.epochScores().getFirst());
    }

    @Test
    void whatItIsTaughtWrongItAnswersWrong() {
        List<Example> swapped =
                task.examples(Split.TRAIN).stream()
                        .map(example ->
                                new Example(
                                        example.text(),
                                        null,
                                        "praise".equals(example.label()) ? "blame" : "praise"))
                        .toList();

        FineTuned result =
                new FineTuner(SETTINGS.withEpochs(2), FineTuningProgress.SILENT)
                        .run(base, task, swapped, target);

        assertThat(result.epochScores().getLast()).isLessThan(0.4);
    }

    @Test
    void anExpertIsNeverWrittenOverAnother() throws IOException {
        Files.createDirectories(target);

        assertThatThrownBy(() ->
                        new FineTuner(SETTINGS, FineTuningProgress.SILENT).run(base, task, target))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("is already there");
        try (var files = Files.list(target.getParent())) {
            assertThat(files).containsExactly(target);
        }
    }

    @Test
    void logProbabilitiesComeInTheOrderOfTheTexts() {
        new FineTuner(SETTINGS.withEpochs(1), FineTuningProgress.SILENT).run(base, task, target);
        List<Example> examples = task.examples(Split.VALIDATION);
        try (Checkpoint expert = Checkpoint.open(target);
                RunningModel model = RunningModel.open(expert);
                TextTokenizer tokenizer = TextTokenizer.open(target)) {
            float[] together =
                    Scorer.logProbabilities(model, null, tokenizer.tokenize(examples, 16), 2);

            for (int i = 0; i < examples.size(); i++) {
                Batch alone = tokenizer.encode(List.of(examples.get(i)), 16);
                float[] logits = model.logits(null, alone);
                double expected = -Math.log1p(Math.exp(logits[1] - logits[0]));
                assertThat((double) together[2 * i]).isCloseTo(expected, within(1e-5));
            }
        }
    }

    @Test
    void aCheckpointWithOtherLabelsIsNotScored() {
        try (Checkpoint other = Checkpoint.open(Fixture.named("bert_cls").folder())) {
            assertThatThrownBy(() -> Scorer.score(other, task, Split.VALIDATION))
                    .isInstanceOf(RefusedException.class);
        }
    }
}
