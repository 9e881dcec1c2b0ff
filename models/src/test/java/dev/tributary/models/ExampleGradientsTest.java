package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.tributary.tensors.Checkpoint;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ExampleGradientsTest {
    private static final String QUERY = "encoder.layer.0.attention.self.query.weight";
    private static final String NORM = "encoder.layer.1.output.LayerNorm.weight";
    private static final Set<String> BOTH = Set.of(QUERY, NORM);

    private final Fixture fixture = Fixture.named("bert_cls");
    private final Checkpoint checkpoint = Checkpoint.open(fixture.folder());
    private final RunningModel model = RunningModel.open(checkpoint);
    private final Head head = model.ownHead().orElseThrow();
    private final List<Batch> texts = texts(fixture.batch());

    @AfterEach
    void close() {
        model.close();
        checkpoint.close();
    }

    private static List<Batch> texts(Batch batch) {
        List<Batch> texts = new ArrayList<>();
        for (int row = 0; row < batch.rows(); row++) {
            int from = row * batch.length();
            int to = from + batch.length();
            texts.add(
                    new Batch(
                            1,
                            batch.length(),
                            Arrays.copyOfRange(batch.inputIds(), from, to),
                            Arrays.copyOfRange(batch.attentionMask(), from, to),
                            Arrays.copyOfRange(batch.tokenTypeIds(), from, to)));
        }
        return texts;
    }

    @Test
    void magnitudesAreTakenOfEachExamplesOwnGradientAndNotOfTheBatchs() {
        int[] labels = fixture.labels();
        double[] expected = new double[size(QUERY)];
        double[] together = new double[expected.length];
        model.train(BOTH);
        for (int i = 0; i < texts.size(); i++) {
            float[] gradient = gradient(texts.get(i), labels[i]);
            for (int j = 0; j < expected.length; j++) {
                expected[j] += Math.abs(gradient[j]);
                together[j] += gradient[j];
            }
        }
        try (ExampleGradients gradients =
                new ExampleGradients(model, BOTH, ExampleGradients.Measure.ABSOLUTE)) {
            for (int i = 0; i < texts.size(); i++) {
                gradients.addLabelled(head, texts.get(i), labels[i]);
            }
            assertThat(gradients.examples()).isEqualTo(texts.size());
            close(Fixture.floats(gradients.sum(QUERY)), expected);
        }
        assertThat(Arrays.stream(together).map(Math::abs).sum())
                .isLessThan(0.9 * Arrays.stream(expected).sum());
    }

    @Test
    void theExpectationOverTheModelsAnswersIsExact() {
        double[] expected = new double[size(NORM)];
        model.train(BOTH);
        for (Batch text : texts) {
            double[] probabilities = probabilities(text);
            for (int label = 0; label < head.labels(); label++) {
                model.zeroGradients();
                model.backward(head, text, new CrossEntropy(label));
                float[] gradient = Fixture.floats(model.gradient(NORM));
                for (int j = 0; j < expected.length; j++) {
                    expected[j] += probabilities[label] * gradient[j] * gradient[j];
                }
            }
        }
        try (ExampleGradients gradients =
                new ExampleGradients(model, BOTH, ExampleGradients.Measure.SQUARED)) {
            texts.forEach(text -> gradients.addExpected(head, text));
            close(Fixture.floats(gradients.sum(NORM)), expected);
        }
    }

    /// The expectation of a log-likelihood's gradient under the model's own answers is zero.
    @Test
    void gradientsOfTheClassesCancelInTheMean() {
        model.train(BOTH);
        Batch text = texts.getFirst();
        double[] probabilities = probabilities(text);
        double[] mean = new double[size(QUERY)];
        double largest = 0;
        for (int label = 0; label < head.labels(); label++) {
            float[] gradient = gradient(text, label);
            for (int j = 0; j < mean.length; j++) {
                mean[j] += probabilities[label] * gradient[j];
                largest = Math.max(largest, Math.abs(gradient[j]));
            }
        }
        for (double value : mean) {
            assertThat(value).isCloseTo(0, within(1e-5 * largest));
        }
    }

    @Test
    void oneTextAtATime() {
        try (ExampleGradients gradients =
                new ExampleGradients(model, BOTH, ExampleGradients.Measure.SQUARED)) {
            assertThatThrownBy(() -> gradients.addExpected(head, fixture.batch()))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("one text at a time");
        }
    }

    private float[] gradient(Batch text, int label) {
        model.zeroGradients();
        model.backward(head, text, new CrossEntropy(label));
        return Fixture.floats(model.gradient(QUERY));
    }

    private double[] probabilities(Batch text) {
        float[] logits = model.logits(head, text);
        LogSoftmax.inPlace(logits, 1, logits.length);
        double[] probabilities = new double[logits.length];
        for (int i = 0; i < logits.length; i++) {
            probabilities[i] = Math.exp(logits[i]);
        }
        return probabilities;
    }

    private int size(String name) {
        return (int) (model.weights(name).byteSize() / Float.BYTES);
    }

    private static void close(float[] actual, double[] expected) {
        double largest = Arrays.stream(expected).max().orElseThrow();
        assertThat(largest).isGreaterThan(0);
        for (int i = 0; i < expected.length; i++) {
            assertThat((double) actual[i]).isCloseTo(expected[i], within(1e-5 * largest));
        }
    }
}
