package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import org.junit.jupiter.api.Test;

class ModelConfigTest {
    private final ObjectNode json = (ObjectNode) Fixture.named("bert_cls").json("config.json");

    @Test
    void bothFormsOfTheFileSayTheSame() {
        ModelConfig four = ModelConfig.of(json, "4");
        ModelConfig five = ModelConfig.of(Fixture.named("bert_cls").json("config.v5.json"), "5");

        assertThat(five).isEqualTo(four);
        assertThat(four.layers()).isEqualTo(2);
        assertThat(four.labels()).hasSize(3);
    }

    @Test
    void aClassifierWithoutLabelNamesHasTwo() {
        json.remove("id2label");

        assertThat(ModelConfig.of(json, "config.json").labels())
                .containsExactly("LABEL_0", "LABEL_1");
    }

    @Test
    void everythingThatCannotBeRunIsToldAtOnce() {
        json.put("hidden_act", "cubic");
        json.put("position_embedding_type", "relative_key");
        json.put("num_attention_heads", 5);
        json.remove("vocab_size");

        RefusedException refused =
                catchThrowableOfType(
                        RefusedException.class, () -> ModelConfig.of(json, "config.json"));

        assertThat(refused.faults())
                .hasSize(4)
                .extracting(Fault::code)
                .containsOnly(FailureCode.UNSUPPORTED_ARCHITECTURE);
        assertThat(refused)
                .hasMessageContaining("'cubic'")
                .hasMessageContaining("'relative_key'")
                .hasMessageContaining("32 is no multiple of 5 heads")
                .hasMessageContaining("vocab_size is missing");
    }

    @Test
    void aFamilyThatCannotBeRunIsToldWithThoseThatCan() {
        json.put("model_type", "mamba");

        assertThatThrownBy(() -> ModelConfig.of(json, "config.json"))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("'mamba'")
                .hasMessageContaining("bert, roberta");
    }
}
