package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import dev.tributary.tensors.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Values computed by `transformers` 5.18.0 in float32; models are random, every term non-trivial.
class EncoderParityTest {
    @TempDir Path scratch;

    @ParameterizedTest
    @CsvSource({
        "bert_cls, config.json, 3",
        "bert_cls, config.v5.json, 3",
        "roberta_cls, config.json, 4",
        "roberta_cls, config.v5.json, 4",
        "distilbert_cls, config.json, 3",
        "distilbert_cls, config.v5.json, 3",
    })
    void logitsAreThoseOfTransformers(String name, String config, int labels) throws Exception {
        Fixture fixture = Fixture.named(name);
        Path folder = Files.createDirectories(scratch.resolve("model"));
        Files.copy(fixture.folder().resolve(config), folder.resolve("config.json"));
        Files.copy(
                fixture.folder().resolve("model.safetensors"), folder.resolve("model.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            Outputs outputs = model.forward(fixture.batch());

            assertThat(outputs.kind()).isEqualTo(Outputs.Kind.LOGITS);
            assertThat(outputs.columns()).isEqualTo(labels);
            Parity.assertForward(outputs.values(), Fixture.floats(expected, "logits"));
            assertThat(model.config().labels()).hasSize(labels).startsWith("LABEL_0", "LABEL_1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert_cls", "bert_embed", "roberta_cls", "distilbert_cls"})
    void everyHiddenStateIsThatOfTransformers(String name) {
        Fixture fixture = Fixture.named(name);
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            List<float[]> states = model.hiddenStates(fixture.batch());

            assertThat(states).hasSize(3);
            for (int i = 0; i < states.size(); i++) {
                Parity.assertForward(states.get(i), Fixture.floats(expected, "hidden." + i));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Activation.class)
    void activationsAreThoseOfTransformers(Activation activation) {
        Fixture fixture = Fixture.named("bert_cls");
        try (Checkpoint expected = fixture.tensors("activations.safetensors", scratch);
                PtNDManager manager = TorchEngine.newManager()) {
            PtNDArray input = (PtNDArray) manager.create(Fixture.floats(expected, "x"));

            PtNDArray output = activation.apply(input);

            Parity.assertForward(output.toFloatArray(), Fixture.floats(expected, activation.key()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert_cls", "roberta_cls", "distilbert_cls"})
    void lossAndEveryGradientOfAClassifierAreThoseOfTransformers(String name) {
        Fixture fixture = Fixture.named(name);
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            Head head = model.ownHead().orElseThrow();
            model.train(model.parameters().keySet());
            head.train(head.parameters().keySet());

            double loss =
                    model.backward(null, fixture.batch(), Fixture.crossEntropy(fixture.labels()));

            assertThat(loss).isCloseTo(Fixture.floats(expected, "loss")[0], within(2e-5));
            Map<String, Integer> zeroed = fixture.rowsWithoutGradient();
            model.parameters()
                    .forEach((parameter, shape) -> {
                        String file = model.architecture().classifierName(parameter);
                        float[] gradient = Fixture.floats(model.gradient(parameter));
                        if (zeroed.containsKey(file)) {
                            int width = Math.toIntExact(shape.getLast());
                            int start = zeroed.get(file) * width;
                            Arrays.fill(gradient, start, start + width, 0);
                        }
                        Parity.assertGradient(
                                file, gradient, Fixture.floats(expected, "grad." + file));
                    });
            for (String parameter : head.parameters().keySet()) {
                Parity.assertGradient(
                        parameter,
                        Fixture.floats(head.gradient(parameter)),
                        Fixture.floats(expected, "grad." + parameter));
            }
        }
    }

    @Test
    void embeddingsLossAndEveryGradientAreThoseOfTransformers() throws Exception {
        Fixture fixture = Fixture.named("bert_embed");
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint probes = fixture.tensors("inputs.safetensors", scratch);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            float[] probe = Fixture.floats(probes, "probe.weight");
            model.train(model.parameters().keySet());

            double loss =
                    model.backward(null, fixture.batch(), Fixture.probed(probe, fixture.labels()));

            Parity.assertForward(
                    model.logits(null, fixture.batch()), Fixture.floats(expected, "embeddings"));
            assertThat(loss).isCloseTo(Fixture.floats(expected, "loss")[0], within(5e-5));
            for (String name : model.parameters().keySet()) {
                float[] gradient = Fixture.floats(model.gradient(name));
                if (name.startsWith("pooler.")) {
                    assertThat(gradient).containsOnly(0);
                } else {
                    Parity.assertGradient(name, gradient, Fixture.floats(expected, "grad." + name));
                }
            }
        }
    }
}
