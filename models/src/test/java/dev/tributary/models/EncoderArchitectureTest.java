package dev.tributary.models;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class EncoderArchitectureTest {
    private final Architecture architecture = of("bert_cls");

    private static Architecture of(String fixture) {
        return Architecture.of(
                ModelConfig.of(Fixture.named(fixture).json("config.json"), "config.json"));
    }

    @Test
    void oneWeightHasOneNameWhateverTheFileCallsIt() {
        assertThat(architecture.canonicalName("bert.encoder.layer.1.output.LayerNorm.gamma"))
                .contains("encoder.layer.1.output.LayerNorm.weight");
        assertThat(architecture.canonicalName("encoder.layer.1.output.LayerNorm.beta"))
                .contains("encoder.layer.1.output.LayerNorm.bias");
        assertThat(architecture.canonicalName("bert.pooler.dense.weight"))
                .contains("pooler.dense.weight");
        assertThat(architecture.canonicalName("classifier.bias")).contains("classifier.bias");
    }

    @Test
    void whatTakesNoPartInTheOutputsHasNoName() {
        assertThat(architecture.canonicalName("bert.embeddings.position_ids")).isEmpty();
        assertThat(architecture.canonicalName("cls.predictions.transform.dense.weight")).isEmpty();
        assertThat(architecture.canonicalName("cls.seq_relationship.bias")).isEmpty();
    }

    @Test
    void namesForTransformersAreThoseItSaved() {
        assertThat(architecture.classifierName("pooler.dense.bias"))
                .isEqualTo("bert.pooler.dense.bias");
        assertThat(architecture.classifierName("classifier.weight")).isEqualTo("classifier.weight");
        assertThat(architecture.encoderName("pooler.dense.bias")).isEqualTo("pooler.dense.bias");
    }

    @Test
    void groupsAreEmbeddingsThenLayersThenPooler() {
        assertThat(architecture.groupNames())
                .containsExactly("embeddings", "layer.0", "layer.1", "pooler");
        assertThat(architecture.groupOf("embeddings.LayerNorm.weight")).isZero();
        assertThat(architecture.groupOf("encoder.layer.1.intermediate.dense.bias")).isEqualTo(2);
        assertThat(architecture.groupOf("pooler.dense.weight")).isEqualTo(3);
    }

    @Test
    void theTrunkIsTheModelWithoutItsClassifier() {
        assertThat(architecture.trunk()).hasSize(5 + 2 * 16 + 2);
        assertThat(architecture.trunk().keySet()).noneMatch(architecture::taskSpecific);
        assertThat(architecture.classifier(7).keySet()).allMatch(architecture::taskSpecific);
        assertThat(architecture.trunk().keySet().stream().filter(architecture::optional))
                .containsExactly("pooler.dense.weight", "pooler.dense.bias");
    }

    @Test
    void whereTwoLayersClassifyBothAreTheTasksOwn() {
        for (String fixture : List.of("roberta_cls", "distilbert_cls")) {
            Architecture other = of(fixture);

            assertThat(other.classifier(5)).hasSize(4);
            assertThat(other.classifier(5).keySet()).allMatch(other::taskSpecific);
            assertThat(other.trunk().keySet()).noneMatch(other::optional);
            assertThat(other.groupNames()).containsExactly("embeddings", "layer.0", "layer.1");
        }
        assertThat(of("roberta_cls").canonicalName("lm_head.dense.weight")).isEmpty();
        assertThat(of("roberta_cls").canonicalName("roberta.pooler.dense.weight")).isEmpty();
        assertThat(of("distilbert_cls").canonicalName("vocab_layer_norm.bias")).isEmpty();
        assertThat(of("distilbert_cls").groupOf("transformer.layer.1.ffn.lin2.bias")).isEqualTo(2);
    }

    /// Otherwise a matrix would count twice where entries of the whole model are ranked.
    @Test
    void copiesOfAMatrixInAFileHaveNoName() {
        assertThat(of("qwen2").canonicalName("lm_head.weight")).isEmpty();
        assertThat(of("llama").canonicalName("lm_head.weight")).contains("lm_head.weight");
        assertThat(of("t5_v1_0").canonicalName("lm_head.weight")).isEmpty();
        assertThat(of("t5_v1_1").canonicalName("lm_head.weight")).contains("lm_head.weight");
        for (String family : List.of("t5_v1_0", "t5_v1_1")) {
            for (String side : List.of("encoder", "decoder")) {
                assertThat(of(family).canonicalName(side + ".embed_tokens.weight")).isEmpty();
            }
        }
    }
}
