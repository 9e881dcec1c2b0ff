package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tributary.tensors.Checkpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Values computed by `transformers` 5.18.0 in float32; models are random, every term non-trivial.
class DecoderParityTest {
    private static final int IGNORED = -100;

    @TempDir Path scratch;

    @ParameterizedTest
    @CsvSource({
        "qwen2, config.json",
        "qwen2, config.v5.json",
        "qwen2_bf16, config.json",
        "qwen2_fp16, config.json",
        "qwen2_sharded, config.json",
        "qwen2_bf16_sharded, config.json",
        "llama, config.json",
        "llama, config.v5.json",
        "llama3_rope, config.json",
        "llama3_rope, config.v5.json",
    })
    void logitsAndHiddenStatesAreThoseOfTransformers(String name, String config) throws Exception {
        Fixture fixture = Fixture.named(name);
        Path folder = Files.createDirectories(scratch.resolve("model"));
        try (var files = Files.list(fixture.folder())) {
            for (Path file :
                    files.filter(f -> f.getFileName().toString().startsWith("model")).toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Files.copy(fixture.folder().resolve(config), folder.resolve("config.json"));
        try (Checkpoint checkpoint = Checkpoint.open(folder);
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            Batch batch = fixture.batch();
            int vocabulary = model.config().vocabulary();
            Outputs outputs = model.forward(batch);

            assertThat(outputs.kind()).isEqualTo(Outputs.Kind.LOGITS);
            assertThat(outputs.rows()).isEqualTo(batch.rows() * batch.length());
            Parity.assertForward(
                    seen(batch, outputs.values(), vocabulary),
                    seen(batch, Fixture.floats(expected, "logits"), vocabulary));
            List<float[]> states = model.hiddenStates(batch);
            assertThat(states).hasSize(model.config().layers() + 1);
            boolean known = expected.tensors().containsKey("hidden.0");
            for (int i = 0; known && i < states.size(); i++) {
                int hidden = model.config().hidden();
                Parity.assertForward(
                        seen(batch, states.get(i), hidden),
                        seen(batch, Fixture.floats(expected, "hidden." + i), hidden));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "llama"})
    void lossAndEveryGradientAreThoseOfTransformers(String name) {
        Fixture fixture = Fixture.named(name);
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint);
                Checkpoint expected = fixture.tensors("expected.safetensors", scratch)) {
            model.train(model.parameters().keySet());
            Batch batch = fixture.batch();
            List<Integer> positions = new ArrayList<>();
            List<Integer> labels = new ArrayList<>();
            JsonNode rows = fixture.json("inputs.json").path("labels");
            for (int row = 0; row < batch.rows(); row++) {
                for (int i = 1; i < batch.length(); i++) {
                    int label = rows.path(row).path(i).asInt();
                    if (label != IGNORED) {
                        positions.add(row * batch.length() + i - 1);
                        labels.add(label);
                    }
                }
            }

            double loss =
                    model.backward(
                            null, batch.at(ints(positions)), Fixture.crossEntropy(ints(labels)));

            assertThat(loss).isCloseTo(Fixture.floats(expected, "loss")[0], within(2e-5));
            for (String parameter : model.parameters().keySet()) {
                String file = model.architecture().encoderName(parameter);
                Parity.assertGradient(
                        file,
                        Fixture.floats(model.gradient(parameter)),
                        Fixture.floats(expected, "grad." + file));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"qwen2", "llama", "llama3_rope", "qwen2_bf16_sharded"})
    void whatIsGeneratedIsWhatTransformersGenerates(String name) {
        Fixture fixture = Fixture.named(name);
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint)) {
            List<long[]> generated = model.generate(prompts(fixture), 12, Set.of());

            assertThat(generated).containsExactly(fixture.generated());
        }
    }

    @Test
    void generationEndsWithTheTokenItShallEndWith() {
        Fixture fixture = Fixture.named("qwen2");
        long[][] expected = fixture.generated();
        long end = expected[1][4];
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint)) {
            List<long[]> generated = model.generate(prompts(fixture), 12, Set.of(end));

            assertThat(generated.get(1)).containsExactly(Arrays.copyOf(expected[1], 5));
            assertThat(generated.get(0)).containsExactly(expected[0]);
        }
    }

    @Test
    void generationHoldsNoMemoryAfterwards() {
        Fixture fixture = Fixture.named("qwen2");
        try (Checkpoint checkpoint = Checkpoint.open(fixture.folder());
                RunningModel model = RunningModel.open(checkpoint)) {
            model.generate(prompts(fixture), 3, Set.of());
            int before = model.managedArrays();
            model.generate(prompts(fixture), 12, Set.of());

            assertThat(model.managedArrays()).isEqualTo(before);
        }
    }

    private static TokenizedTexts prompts(Fixture fixture) {
        long[][] prompts =
                Fixture.rows(fixture.json("inputs.json").path("generation").path("prompts"));
        long[][] types = Arrays.stream(prompts).map(p -> new long[p.length]).toArray(long[][]::new);
        return new TokenizedTexts(prompts, types);
    }

    private static int[] ints(List<Integer> numbers) {
        return numbers.stream().mapToInt(Integer::intValue).toArray();
    }

    /// Without the positions before a row's first token: nothing can be seen from there, and what
    /// stands for nothing differs.
    private static float[] seen(Batch batch, float[] values, int width) {
        float[] all = new float[values.length];
        int count = 0;
        for (int row = 0; row < batch.rows(); row++) {
            boolean begun = false;
            for (int i = 0; i < batch.length(); i++) {
                int position = row * batch.length() + i;
                begun |= batch.attentionMask()[position] != 0;
                if (begun) {
                    System.arraycopy(values, position * width, all, count, width);
                    count += width;
                }
            }
        }
        return Arrays.copyOf(all, count);
    }
}
