package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.RefusedException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Adapters written by PEFT 0.21.0, held to what it makes of them.
class AdapterParityTest {
    @TempDir Path scratch;

    @ParameterizedTest
    @CsvSource({"bert_cls_lora, bert_cls", "qwen2_lora, qwen2"})
    void anAdapterOnItsBaseIsTheModelPeftMakesOfThem(String adapter, String of) throws Exception {
        Fixture fixture = Fixture.named(adapter);
        Fixture base = Fixture.named(of);
        Path values = Files.createDirectories(scratch.resolve("values"));
        Files.copy(base.folder().resolve("config.json"), values.resolve("config.json"));
        Files.copy(
                fixture.folder().resolve("expected.safetensors"),
                values.resolve("model.safetensors"));
        try (Checkpoint whole = Checkpoint.open(base.folder());
                Checkpoint adapted = Checkpoint.openAdapter(fixture.folder(), whole);
                RunningModel model = RunningModel.open(adapted);
                Checkpoint expected = Checkpoint.open(values)) {
            int changed = 0;
            for (String name : expected.tensors().keySet()) {
                if (name.startsWith("merged.")) {
                    String own = name.substring("merged.".length());
                    assertThat(Fixture.floats(adapted, own))
                            .as(own)
                            .containsExactly(Fixture.floats(expected, name), within(2e-6f));
                    changed++;
                }
            }
            assertThat(changed).isPositive();
            assertThat(adapted.tensors().keySet())
                    .containsExactlyElementsOf(whole.tensors().keySet());
            Parity.assertForward(
                    model.forward(base.batch()).values(), Fixture.floats(expected, "logits"));
        }
    }

    @Test
    void anyStretchOfAnAdaptedMatrixIsThatOfTheWhole() {
        try (Checkpoint whole = Checkpoint.open(Fixture.named("qwen2").folder());
                Checkpoint adapted =
                        Checkpoint.openAdapter(Fixture.named("qwen2_lora").folder(), whole)) {
            String name = "model.layers.1.mlp.down_proj.weight";
            float[] all = Fixture.floats(adapted, name);
            var factors = adapted.lowRank(name).orElseThrow();

            assertThat(Objects.requireNonNull(adapted.tensors().get(name)).dtype())
                    .isEqualTo(Dtype.F32);
            for (int from : new int[] {0, 1, 79, 80, 1000}) {
                float[] part = Fixture.floats(factors.slice(from, 333));
                assertThat(part).containsExactly(Arrays.copyOfRange(all, from, from + 333));
            }
            assertThat(adapted.lowRank("model.embed_tokens.weight")).isEmpty();
        }
    }

    @Test
    void patternsAndStabilisationChangeTheScale() throws Exception {
        float[] plain = change(config -> {});
        float[] half = change(config -> config.putObject("alpha_pattern").put("q_proj", 4));
        float[] other = change(config -> config.putObject("alpha_pattern").put("k_proj", 4));
        float[] stabilised = change(config -> config.put("use_rslora", true));

        for (int i = 0; i < plain.length; i++) {
            assertThat(half[i]).isCloseTo(plain[i] / 2, within(1e-6f));
            assertThat(other[i]).isEqualTo(plain[i]);
            assertThat(stabilised[i]).isCloseTo(plain[i] * 2, within(1e-6f));
        }
    }

    /// What the adapter adds to a matrix.
    private float[] change(Consumer<ObjectNode> edit) throws IOException {
        String name = "model.layers.0.self_attn.q_proj.weight";
        try (Checkpoint whole = Checkpoint.open(Fixture.named("qwen2").folder());
                Checkpoint adapted = Checkpoint.openAdapter(edited("qwen2_lora", edit), whole)) {
            float[] values = Fixture.floats(adapted, name);
            float[] before = Fixture.floats(whole, name);
            for (int i = 0; i < values.length; i++) {
                values[i] -= before[i];
            }
            return values;
        }
    }

    private Path edited(String adapter, Consumer<ObjectNode> edit) throws IOException {
        Path source = Fixture.named(adapter).folder();
        Path folder = Files.createTempDirectory(scratch, "adapter");
        ObjectNode config =
                (ObjectNode)
                        new JsonMapper()
                                .readTree(Files.readString(source.resolve("adapter_config.json")));
        edit.accept(config);
        Files.writeString(folder.resolve("adapter_config.json"), config.toString());
        Files.copy(
                source.resolve("adapter_model.safetensors"),
                folder.resolve("adapter_model.safetensors"));
        return folder;
    }

    @ParameterizedTest
    @ValueSource(strings = {"use_dora", "fan_in_fan_out", "use_qalora"})
    void otherKindsOfAdaptersAreRefusedByName(String key) throws Exception {
        Path folder =
                edited(
                        "qwen2_lora",
                        config -> {
                            config.put(key, true);
                            config.put("bias", "all");
                        });
        try (Checkpoint whole = Checkpoint.open(Fixture.named("qwen2").folder())) {
            assertThatThrownBy(() -> Checkpoint.openAdapter(folder, whole))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("%s is true, expected false", key)
                    .hasMessageContaining("bias is 'all', expected none");
        }
    }

    /// Each would be applied to other matrices than it was trained on, or to all tokens.
    @Test
    void whatPlainLoraWouldGetWrongIsRefusedByName() throws Exception {
        Path folder =
                edited(
                        "qwen2_lora",
                        config -> {
                            config.put("init_lora_weights", "pissa_niter_16");
                            config.putArray("alora_invocation_tokens").add(7);
                            config.putObject("arrow_config").put("top_k", 1);
                            config.putArray("modules_to_save").add("lm_head");
                        });
        try (Checkpoint whole = Checkpoint.open(Fixture.named("qwen2").folder())) {
            assertThatThrownBy(() -> Checkpoint.openAdapter(folder, whole))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("init_lora_weights is 'pissa_niter_16'")
                    .hasMessageContaining("alora_invocation_tokens is set, expected null")
                    .hasMessageContaining("arrow_config is set, expected null")
                    .hasMessageContaining("modules_to_save has 'lm_head'");
        }
    }

    @Test
    void anAdapterEndsItsAnswersAsItsBaseDoes() throws Exception {
        Fixture fixture = Fixture.named("qwen2");
        Path base = Files.createDirectories(scratch.resolve("base"));
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(fixture.folder().resolve(file), base.resolve(file));
        }
        Files.writeString(base.resolve("generation_config.json"), "{\"eos_token_id\": [5, 9]}");
        Path own = edited("qwen2_lora", config -> {});
        try (Checkpoint whole = Checkpoint.open(base)) {
            try (Checkpoint adapted = Checkpoint.openAdapter(own, whole)) {
                assertThat(EndTokens.of(adapted)).containsExactly(5L, 9L);
            }
            Files.writeString(own.resolve("generation_config.json"), "{\"eos_token_id\": 3}");
            try (Checkpoint adapted = Checkpoint.openAdapter(own, whole)) {
                assertThat(EndTokens.of(adapted)).containsExactly(3L);
            }
        }
    }

    @Test
    void anAdapterOfAnotherModelIsRefusedWithEveryModule() {
        try (Checkpoint other = Checkpoint.open(Fixture.named("bert_cls").folder())) {
            assertThatThrownBy(() ->
                            Checkpoint.openAdapter(Fixture.named("qwen2_lora").folder(), other))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("model.layers.0.mlp.down_proj is no module of the base")
                    .hasMessageContaining("model.layers.1.self_attn.v_proj is no module");
        }
    }

    @Test
    void anAdapterAloneIsNoModel() {
        assertThatThrownBy(() -> Checkpoint.open(Fixture.named("qwen2_lora").folder()))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("is an adapter, expected a whole model");
    }
}
