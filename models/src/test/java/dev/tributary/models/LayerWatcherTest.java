package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.tensors.Checkpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayerWatcherTest {
    private static final double TOLERANCE = 2e-5;

    private final Fixture fixture = Fixture.named("bert_cls");
    private final Checkpoint checkpoint = Checkpoint.open(fixture.folder());
    private final RunningModel model = RunningModel.open(checkpoint);
    private final Batch batch = fixture.batch();
    private final int hidden = model.config().hidden();

    @AfterEach
    void close() {
        model.close();
        checkpoint.close();
    }

    /// What was shown, by the names it was shown under.
    private record Seen(Map<String, float[]> byName, Map<String, Integer> counts)
            implements LayerWatcher {
        static Seen of(RunningModel model, Batch batch) {
            Seen seen = new Seen(new LinkedHashMap<>(), new LinkedHashMap<>());
            model.watch(null, batch, seen);
            return seen;
        }

        @Override
        public void linear(List<String> weights, Rows inputs) {
            keep(String.join(" ", weights), inputs);
        }

        @Override
        public void norm(String scale, Rows normalized) {
            keep(scale, normalized);
        }

        private void keep(String name, Rows rows) {
            assertThat(rows.values().byteSize())
                    .isEqualTo((long) rows.count() * rows.width() * Float.BYTES);
            assertThat(byName.put(name, Fixture.floats(rows.values()))).as(name).isNull();
            counts.put(name, rows.count());
        }

        float[] get(String name) {
            return Objects.requireNonNull(byName.get(name), name);
        }
    }

    @Test
    void everyLinearLayerAndNormOfTheTrunkIsSeenOnceAndQueryKeyAndValueTogether() {
        List<String> expected = new ArrayList<>();
        for (String name : model.parameters().keySet()) {
            if (name.endsWith(".weight")
                    && !name.contains("_embeddings")
                    && !name.contains("self.key")
                    && !name.contains("self.value")) {
                expected.add(
                        name.contains("self.query")
                                ? "%s %s %s"
                                        .formatted(
                                                name,
                                                name.replace("query", "key"),
                                                name.replace("query", "value"))
                                : name);
            }
        }
        assertThat(Seen.of(model, batch).byName().keySet())
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    @Test
    void thereIsARowForEveryTokenAndNoneForPadding() {
        assertThat(batch.tokens()).isLessThan((long) batch.rows() * batch.length());
        Seen.of(model, batch)
                .counts()
                .forEach((name, count) ->
                        assertThat(count)
                                .as(name)
                                .isEqualTo(
                                        name.startsWith("pooler")
                                                ? batch.rows()
                                                : (int) batch.tokens()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "llama"})
    void aDecoderHasNoRowForPaddingOnEitherSide(String name) {
        Fixture decoder = Fixture.named(name);
        Batch padded = decoder.batch();
        try (Checkpoint opened = Checkpoint.open(decoder.folder());
                RunningModel running = RunningModel.open(opened)) {
            Map<String, Integer> counts = Seen.of(running, padded).counts();
            counts.remove("lm_head.weight");
            assertThat(counts).hasSizeGreaterThan(10);
            counts.forEach((layer, count) ->
                    assertThat((long) count).as(layer).isEqualTo(padded.tokens()));
        }
    }

    @Test
    void whatIsSeenIsWhatAPlainProgramComputes() {
        Seen seen = Seen.of(model, batch);
        List<float[]> states = model.hiddenStates(batch).stream().map(this::tokens).toList();
        close("embeddings.LayerNorm.weight", scaled(seen, "embeddings.LayerNorm"), states.get(0));
        for (int i = 0; i < model.config().layers(); i++) {
            String layer = "encoder.layer.%d.".formatted(i);
            String self = layer + "attention.self.";
            close(
                    self,
                    seen.get(self + "query.weight " + self + "key.weight " + self + "value.weight"),
                    states.get(i));

            String attention = layer + "attention.output.";
            float[] attended = scaled(seen, attention + "LayerNorm");
            float[] inner = linear(seen, attention + "dense");
            close(attention, plainNorm(sum(inner, states.get(i)), attention), attended);
            close(layer, seen.get(layer + "intermediate.dense.weight"), attended);

            float[] activated = linear(seen, layer + "intermediate.dense");
            for (int j = 0; j < activated.length; j++) {
                activated[j] = gelu(activated[j]);
            }
            close(layer + "output", seen.get(layer + "output.dense.weight"), activated);
            close(layer, scaled(seen, layer + "output.LayerNorm"), states.get(i + 1));
        }
        float[] last = model.hiddenStates(batch).getLast();
        float[] firsts = new float[batch.rows() * hidden];
        for (int row = 0; row < batch.rows(); row++) {
            System.arraycopy(last, row * batch.length() * hidden, firsts, row * hidden, hidden);
        }
        close("pooler", seen.get("pooler.dense.weight"), firsts);
    }

    @Test
    void aBatchPaddedLongerShowsTheSameRows() {
        int longer = batch.length() + 5;
        long[] ids = new long[batch.rows() * longer];
        long[] mask = new long[ids.length];
        long[] types = new long[ids.length];
        for (int row = 0; row < batch.rows(); row++) {
            int from = row * batch.length();
            System.arraycopy(batch.inputIds(), from, ids, row * longer, batch.length());
            System.arraycopy(batch.attentionMask(), from, mask, row * longer, batch.length());
            System.arraycopy(batch.tokenTypeIds(), from, types, row * longer, batch.length());
        }
        Seen once = Seen.of(model, batch);
        Seen padded = Seen.of(model, new Batch(batch.rows(), longer, ids, mask, types));
        assertThat(padded.counts()).isEqualTo(once.counts());
        once.byName().forEach((name, rows) -> close(name, padded.get(name), rows));
    }

    @Test
    void watchingChangesNothing() {
        float[] before = model.logits(null, batch);
        int arrays = model.managedArrays();
        Seen.of(model, batch);
        Seen.of(model, batch);
        assertThat(model.logits(null, batch)).isEqualTo(before);
        assertThat(model.managedArrays()).isEqualTo(arrays);
    }

    private float[] tokens(float[] all) {
        float[] kept = new float[(int) batch.tokens() * hidden];
        int next = 0;
        for (int row = 0; row < batch.attentionMask().length; row++) {
            if (batch.attentionMask()[row] != 0) {
                System.arraycopy(all, row * hidden, kept, next, hidden);
                next += hidden;
            }
        }
        return kept;
    }

    /// The output of a linear layer for the inputs that were seen.
    private float[] linear(Seen seen, String name) {
        float[] weight = Fixture.floats(model.weights(name + ".weight"));
        float[] bias = Fixture.floats(model.weights(name + ".bias"));
        float[] inputs = seen.get(name + ".weight");
        int width = weight.length / bias.length;
        float[] outputs = new float[inputs.length / width * bias.length];
        for (int i = 0; i < outputs.length; i++) {
            int row = i / bias.length;
            int column = i % bias.length;
            double sum = bias[column];
            for (int j = 0; j < width; j++) {
                sum += (double) inputs[row * width + j] * weight[column * width + j];
            }
            outputs[i] = (float) sum;
        }
        return outputs;
    }

    /// The output of a norm for the normalised inputs that were seen.
    private float[] scaled(Seen seen, String name) {
        return scaled(seen.get(name + ".weight"), name);
    }

    private float[] scaled(float[] normalized, String name) {
        float[] weight = Fixture.floats(model.weights(name + ".weight"));
        float[] bias = Fixture.floats(model.weights(name + ".bias"));
        float[] outputs = new float[normalized.length];
        for (int i = 0; i < outputs.length; i++) {
            outputs[i] = normalized[i] * weight[i % hidden] + bias[i % hidden];
        }
        return outputs;
    }

    private float[] plainNorm(float[] inputs, String place) {
        float[] normalized = new float[inputs.length];
        for (int from = 0; from < inputs.length; from += hidden) {
            float[] row = Arrays.copyOfRange(inputs, from, from + hidden);
            double mean = 0;
            for (float value : row) {
                mean += value / (double) hidden;
            }
            double variance = 0;
            for (float value : row) {
                variance += (value - mean) * (value - mean) / hidden;
            }
            double deviation =
                    Math.sqrt(variance + ((EncoderConfig) model.config()).layerNormEpsilon());
            for (int i = 0; i < hidden; i++) {
                normalized[from + i] = (float) ((row[i] - mean) / deviation);
            }
        }
        return scaled(normalized, place + "LayerNorm");
    }

    private static float[] sum(float[] a, float[] b) {
        float[] sum = a.clone();
        for (int i = 0; i < sum.length; i++) {
            sum[i] += b[i];
        }
        return sum;
    }

    /// The error function by its series (Abramowitz and Stegun, 7.1.6).
    private static float gelu(double x) {
        double z = x / Math.sqrt(2);
        double term = z;
        double sum = z;
        for (int n = 1; n < 200; n++) {
            term *= 2 * z * z / (2 * n + 1);
            sum += term;
        }
        double erf = 2 / Math.sqrt(Math.PI) * Math.exp(-z * z) * sum;
        return (float) (0.5 * x * (1 + erf));
    }

    private static void close(String what, float[] actual, float[] expected) {
        assertThat(actual).as(what).hasSameSizeAs(expected);
        double largest = 1;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < actual.length; i++) {
            assertThat((double) actual[i])
                    .as("%s at %d", what, i)
                    .isCloseTo(expected[i], within(TOLERANCE * largest));
        }
    }
}
