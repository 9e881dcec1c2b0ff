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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Values computed by `transformers` 5.18.0 in float32; models are random, every term non-trivial.
class BertParityTest {
    @TempDir Path scratch;

    @ParameterizedTest
    @ValueSource(strings = {"config.json", "config.v5.json"})
    void logitsAreThoseOfTransformers(String config) throws Exception {
        Fixture fixture = Fixture.named("bert_cls");
        Path folder = Files.createDirectories(scratch.resolve("model"));
        Files.copy(fixture.folder().resolve(config), folder.resolve("config.json"));
        Files.copy(
                fixture.folder().resolve("model.safetensors"), folder.resolve("model.safetensors"));
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            Outputs outputs = model.forward(fixture.batch());

            assertThat(outputs.kind()).isEqualTo(Outputs.Kind.LOGITS);
            assertThat(outputs.columns()).isEqualTo(3);
            assertForward(outputs.values(), Fixture.floats(expected, "logits"));
            assertThat(model.config().labels()).containsExactly("LABEL_0", "LABEL_1", "LABEL_2");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"bert_cls", "bert_embed"})
    void everyHiddenStateIsThatOfTransformers(String name) {
        Fixture fixture = Fixture.named(name);
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            List<float[]> states = model.hiddenStates(fixture.batch());

            assertThat(states).hasSize(3);
            for (int i = 0; i < states.size(); i++) {
                assertForward(states.get(i), Fixture.floats(expected, "hidden." + i));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(ModelConfig.Activation.class)
    void activationsAreThoseOfTransformers(ModelConfig.Activation activation) {
        Fixture fixture = Fixture.named("bert_cls");
        try (Checkpoint expected = fixture.tensors("activations.safetensors", scratch);
                PtNDManager manager = TorchEngine.newManager()) {
            PtNDArray input = (PtNDArray) manager.create(Fixture.floats(expected, "x"));

            PtNDArray output = BertForward.activate(activation, input);

            assertForward(output.toFloatArray(), Fixture.floats(expected, activation.key()));
        }
    }

    @Test
    void lossAndEveryGradientOfAClassifierAreThoseOfTransformers() {
        Fixture fixture = Fixture.named("bert_cls");
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            Head head = model.ownHead().orElseThrow();
            model.train(model.parameters().keySet());
            head.train(head.parameters().keySet());

            double loss =
                    model.backward(null, fixture.batch(), Fixture.crossEntropy(fixture.labels()));

            assertThat(loss).isCloseTo(Fixture.floats(expected, "loss")[0], within(2e-5));
            for (String name : model.parameters().keySet()) {
                float[] gradient = Fixture.floats(model.gradient(name));
                if (name.equals(BertArchitecture.WORDS)) {
                    withoutPaddingRow(gradient, model.config().hidden());
                }
                assertGradient(name, gradient, Fixture.floats(expected, "grad.bert." + name));
            }
            for (String name : head.parameters().keySet()) {
                assertGradient(
                        name,
                        Fixture.floats(head.gradient(name)),
                        Fixture.floats(expected, "grad." + name));
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

            double loss = model.backward(null, fixture.batch(), probed(probe, fixture.labels()));

            assertForward(
                    model.logits(null, fixture.batch()), Fixture.floats(expected, "embeddings"));
            assertThat(loss).isCloseTo(Fixture.floats(expected, "loss")[0], within(5e-5));
            for (String name : model.parameters().keySet()) {
                float[] gradient = Fixture.floats(model.gradient(name));
                if (name.startsWith("pooler.")) {
                    assertThat(gradient).containsOnly(0);
                } else {
                    assertGradient(name, gradient, Fixture.floats(expected, "grad." + name));
                }
            }
        }
    }

    /// Cross entropy of `embeddings @ probe^T`, with its derivative by the embeddings.
    private static LogitLoss probed(float[] probe, int[] labels) {
        return (embeddings, rows, width, gradient) -> {
            int classes = probe.length / width;
            float[] logits = new float[rows * classes];
            for (int i = 0; i < logits.length; i++) {
                for (int k = 0; k < width; k++) {
                    logits[i] +=
                            embeddings[i / classes * width + k] * probe[i % classes * width + k];
                }
            }
            float[] upstream = new float[logits.length];
            double loss = Fixture.crossEntropy(labels).apply(logits, rows, classes, upstream);
            for (int i = 0; i < logits.length; i++) {
                for (int k = 0; k < width; k++) {
                    gradient[i / classes * width + k] +=
                            upstream[i] * probe[i % classes * width + k];
                }
            }
            return loss;
        };
    }

    private static void assertForward(float[] actual, float[] expected) {
        assertThat(actual).hasSameSizeAs(expected);
        assertThat(largestGap(actual, expected))
                .isLessThanOrEqualTo(2e-5 * Math.max(1, largest(expected)));
    }

    private static void assertGradient(String name, float[] actual, float[] expected) {
        assertThat(actual).as(name).hasSameSizeAs(expected);
        assertThat(largestGap(actual, expected))
                .as(name)
                .isLessThanOrEqualTo(1e-5 + 1e-4 * largest(expected));
    }

    /// `transformers` keeps the derivative of the padding token's row at zero; here it is the true
    /// one, which matters where a row of the batch starts with padding, as one of these does.
    private static void withoutPaddingRow(float[] gradient, int width) {
        Arrays.fill(gradient, 0, width, 0);
    }

    private static double largest(float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        return largest;
    }

    private static double largestGap(float[] actual, float[] expected) {
        double gap = 0;
        for (int i = 0; i < actual.length; i++) {
            double here = Math.abs((double) actual[i] - expected[i]);
            gap = Double.isNaN(here) ? Double.POSITIVE_INFINITY : Math.max(gap, here);
        }
        return gap;
    }
}
