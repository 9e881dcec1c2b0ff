package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.tensors.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Values computed by `transformers` 5.18.0 in float32; models are random, every term non-trivial.
class VisionParityTest {
    @TempDir Path scratch;

    @ParameterizedTest
    @CsvSource({
        "vit_cls, config.json, logits",
        "vit_cls, config.v5.json, logits",
        "clip_vision, config.json, embeddings",
        "clip_vision, config.v5.json, embeddings",
        "clip_cls, config.json, logits",
        "clip_cls, config.v5.json, logits",
        "clip_zeroshot, config.json, logits",
        "clip_zeroshot, config.v5.json, logits",
    })
    void outputsAndHiddenStatesAreThoseOfTransformers(String name, String config, String outputs)
            throws Exception {
        Fixture fixture = Fixture.named(name);
        Path folder = Files.createDirectories(scratch.resolve("model"));
        Files.copy(
                fixture.folder().resolve("model.safetensors"), folder.resolve("model.safetensors"));
        Files.copy(fixture.folder().resolve(config), folder.resolve("config.json"));
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint inputs = fixture.tensors("inputs.safetensors", scratch);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            Batch batch = batch(inputs);
            Outputs actual = model.forward(batch);

            assertThat(actual.kind().name()).isEqualToIgnoringCase(outputs);
            Parity.assertForward(actual.values(), Fixture.floats(expected, outputs));
            List<float[]> states = model.hiddenStates(batch);
            assertThat(states).hasSize(model.config().layers() + 1);
            for (int i = 0; i < states.size(); i++) {
                Parity.assertForward(states.get(i), Fixture.floats(expected, "hidden." + i));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"vit_cls", "clip_cls", "clip_zeroshot"})
    void lossAndEveryGradientOfAClassifierAreThoseOfTransformers(String name) {
        Fixture fixture = Fixture.named(name);
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint inputs = fixture.tensors("inputs.safetensors", scratch);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            Head head = model.ownHead().orElseThrow();
            model.train(model.parameters().keySet());
            head.train(head.parameters().keySet());

            double loss =
                    model.backward(null, batch(inputs), Fixture.crossEntropy(fixture.labels()));

            assertThat(loss).isCloseTo(Fixture.floats(expected, "loss")[0], within(2e-5));
            assertGradients(model, expected);
            for (String parameter : head.parameters().keySet()) {
                if (parameter.equals(VisionLayout.TEXTS)) {
                    continue; // no parameter of a class of transformers
                }
                Parity.assertGradient(
                        parameter,
                        Fixture.floats(head.gradient(parameter)),
                        Fixture.floats(expected, "grad." + parameter));
            }
        }
    }

    @Test
    void embeddingsLossAndEveryGradientAreThoseOfTransformers() {
        Fixture fixture = Fixture.named("clip_vision");
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint inputs = fixture.tensors("inputs.safetensors", scratch);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            float[] probe = Fixture.floats(inputs, "probe.weight");
            model.train(model.parameters().keySet());

            double loss =
                    model.backward(null, batch(inputs), Fixture.probed(probe, fixture.labels()));

            assertThat(loss).isCloseTo(Fixture.floats(expected, "loss")[0], within(5e-5));
            assertGradients(model, expected);
        }
    }

    @Test
    void imagesOfAnotherSizeAreRefused() {
        try (Checkpoint checkpoint = Checkpoint.open(Fixture.named("vit_cls").folder());
                RunningModel model = RunningModel.open(checkpoint)) {
            Batch small = Batch.of(new Images(1, 3, 16, 16, new float[3 * 16 * 16]));

            assertThatThrownBy(() -> model.forward(small))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("images of 3 x 16 x 16, the model takes 3 x 32 x 32");
        }
    }

    private static void assertGradients(RunningModel model, Checkpoint expected) {
        for (String parameter : model.parameters().keySet()) {
            String file = model.architecture().classifierName(parameter);
            Parity.assertGradient(
                    file,
                    Fixture.floats(model.gradient(parameter)),
                    Fixture.floats(expected, "grad." + file));
        }
    }

    private static Batch batch(Checkpoint inputs) {
        return Batch.of(new Images(3, 3, 32, 32, Fixture.floats(inputs, "pixel_values")));
    }
}
