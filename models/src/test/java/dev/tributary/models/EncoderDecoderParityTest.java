package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.tributary.tensors.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Values computed by `transformers` 5.18.0 in float32; models are random, every term non-trivial.
class EncoderDecoderParityTest {
    @TempDir Path scratch;

    @ParameterizedTest
    @CsvSource({
        "t5_v1_0, config.json",
        "t5_v1_0, config.v5.json",
        "t5_v1_1, config.json",
        "t5_v1_1, config.v5.json",
    })
    void logitsAndHiddenStatesAreThoseOfTransformers(String name, String config) throws Exception {
        Fixture fixture = Fixture.named(name);
        Path folder = Files.createDirectories(scratch.resolve("model"));
        Files.copy(
                fixture.folder().resolve("model.safetensors"), folder.resolve("model.safetensors"));
        Files.copy(fixture.folder().resolve(config), folder.resolve("config.json"));
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            Batch batch = batch(fixture);

            Parity.assertForward(model.forward(batch).values(), Fixture.floats(expected, "logits"));
            EncoderDecoderConfig sizes = (EncoderDecoderConfig) model.config();
            List<float[]> states = model.hiddenStates(batch);
            assertThat(states).hasSize(sizes.encoderLayers() + sizes.decoderLayers() + 2);
            for (int i = 0; i < states.size(); i++) {
                String state =
                        i <= sizes.encoderLayers()
                                ? "encoder.hidden." + i
                                : "decoder.hidden." + (i - sizes.encoderLayers() - 1);
                Parity.assertForward(states.get(i), Fixture.floats(expected, state));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5_v1_0", "t5_v1_1"})
    void lossAndEveryGradientAreThoseOfTransformers(String name) {
        Fixture fixture = Fixture.named(name);
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            model.train(model.parameters().keySet());
            int[] labels =
                    Arrays.stream(Fixture.rows(fixture.json("inputs.json").path("labels")))
                            .flatMapToInt(row -> Arrays.stream(row).mapToInt(l -> (int) l))
                            .toArray();
            int[] asked = IntStream.range(0, labels.length).filter(i -> labels[i] >= 0).toArray();
            int[] answers = IntStream.of(asked).map(i -> labels[i]).toArray();
            Batch batch = batch(fixture);

            double loss =
                    model.backward(
                            null,
                            batch.answeredBy(batch.answers().at(asked)),
                            Fixture.crossEntropy(answers));

            assertThat(loss).isCloseTo(Fixture.floats(expected, "loss")[0], within(2e-5));
            for (String parameter : model.parameters().keySet()) {
                Parity.assertGradient(
                        parameter,
                        Fixture.floats(model.gradient(parameter)),
                        Fixture.floats(expected, "grad." + parameter));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5_v1_0", "t5_v1_1"})
    void whatIsGeneratedIsWhatTransformersGenerates(String name) {
        Fixture fixture = Fixture.named(name);
        JsonNode generation = fixture.json("inputs.json").path("generation");
        long[][] ids = Fixture.rows(generation.path("input_ids"));
        long[][] mask = Fixture.rows(generation.path("attention_mask"));
        long[][] prompts = new long[ids.length][];
        for (int row = 0; row < ids.length; row++) {
            int at = row;
            prompts[row] =
                    IntStream.range(0, ids[row].length)
                            .filter(i -> mask[at][i] != 0)
                            .mapToLong(i -> ids[at][i])
                            .toArray();
        }
        long[][] types = Arrays.stream(prompts).map(p -> new long[p.length]).toArray(long[][]::new);
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint)) {
            List<long[]> generated =
                    model.generate(new TokenizedTexts(prompts, types), 12, Set.of());
            int arrays = model.managedArrays();

            assertThat(generated).containsExactly(fixture.generated());
            model.generate(new TokenizedTexts(prompts, types), 5, Set.of());
            assertThat(model.managedArrays()).isEqualTo(arrays);
        }
    }

    /// What the decoder asks of the encoder's states has the encoder's tokens, all else of it its
    /// own.
    @ParameterizedTest
    @ValueSource(strings = {"t5_v1_0", "t5_v1_1"})
    void everyLayerIsSeenWithTheTokensOfItsSideAndWithoutPadding(String name) {
        Fixture fixture = Fixture.named(name);
        Batch batch = batch(fixture);
        assertThat(batch.tokens()).isLessThan((long) batch.rows() * batch.length());
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint)) {
            Map<String, Integer> rows = new TreeMap<>();
            model.watch(
                    null,
                    batch,
                    new LayerWatcher() {
                        @Override
                        public void linear(List<String> weights, Rows inputs) {
                            weights.forEach(weight -> rows.put(weight, inputs.count()));
                        }

                        @Override
                        public void norm(String scale, Rows normalized) {
                            rows.put(scale, normalized.count());
                        }
                    });
            rows.remove("lm_head.weight");
            assertThat(rows).hasSizeGreaterThan(20);
            rows.forEach((layer, count) -> {
                boolean ofEncoder =
                        layer.startsWith("encoder.")
                                || layer.contains("EncDecAttention.k")
                                || layer.contains("EncDecAttention.v");
                assertThat((long) count)
                        .as(layer)
                        .isEqualTo(ofEncoder ? batch.tokens() : batch.answers().tokens());
            });
        }
    }

    @Test
    void relativePositionsFallIntoTheBucketsOfTransformers() throws Exception {
        JsonNode cases =
                new JsonMapper()
                        .readTree(getClass().getResourceAsStream("/t5_buckets.json"))
                        .path("cases");
        assertThat(cases).isNotEmpty();
        for (JsonNode one : cases) {
            int first = one.path("first_relative_position").asInt();
            for (int i = 0; i < one.path("bucket").size(); i++) {
                assertThat(
                                EncoderDecoderConfig.bucket(
                                        first + i,
                                        one.path("bidirectional").asBoolean(),
                                        one.path("num_buckets").asInt(),
                                        one.path("max_distance").asInt()))
                        .as("relative position %d", first + i)
                        .isEqualTo(one.path("bucket").path(i).asInt());
            }
        }
    }

    private static Batch batch(Fixture fixture) {
        JsonNode inputs = fixture.json("inputs.json");
        long[][] ids = Fixture.rows(inputs.path("decoder_input_ids"));
        long[] flat = Arrays.stream(ids).flatMapToLong(Arrays::stream).toArray();
        long[] seen = new long[flat.length];
        Arrays.fill(seen, 1);
        if (inputs.has("decoder_attention_mask")) {
            seen =
                    Arrays.stream(Fixture.rows(inputs.path("decoder_attention_mask")))
                            .flatMapToLong(Arrays::stream)
                            .toArray();
        }
        return fixture.batch()
                .answeredBy(
                        new Batch(ids.length, ids[0].length, flat, seen, new long[flat.length]));
    }
}
