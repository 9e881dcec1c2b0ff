package dev.tributary.merging;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class LayerDepthTest {

    @Test
    void layersLieAtEqualDistancesBetweenEmbeddingsAndHead() {
        LayerDepth depth =
                new LayerDepth(
                        List.of(
                                "model.embed_tokens.weight",
                                "model.layers.0.mlp.up_proj.weight",
                                "model.layers.10.mlp.up_proj.weight",
                                "model.norm.weight"));
        assertThat(depth.of("model.embed_tokens.weight")).isEqualTo(0);
        assertThat(depth.of("model.layers.0.mlp.up_proj.weight")).isEqualTo(0);
        assertThat(depth.of("model.layers.4.mlp.up_proj.weight")).isEqualTo(0.4);
        assertThat(depth.of("model.layers.10.mlp.up_proj.weight")).isEqualTo(1);
        assertThat(depth.of("model.norm.weight")).isEqualTo(1);
    }

    @Test
    void everyStackHasItsOwnDepth() {
        LayerDepth depth =
                new LayerDepth(
                        List.of(
                                "encoder.block.11.layer.0.SelfAttention.q.weight",
                                "decoder.block.5.layer.1.EncDecAttention.q.weight"));
        assertThat(depth.of("encoder.block.11.layer.0.SelfAttention.q.weight")).isEqualTo(1);
        assertThat(depth.of("decoder.block.1.layer.0.SelfAttention.q.weight")).isEqualTo(0.2);
        assertThat(depth.of("shared.weight")).isEqualTo(0);
    }

    @Test
    void bertAndGptNameTheirLayersDifferently() {
        LayerDepth depth =
                new LayerDepth(
                        List.of("bert.encoder.layer.4.output.dense.weight", "h.2.mlp.c_fc.weight"));
        assertThat(depth.of("bert.encoder.layer.1.output.dense.weight")).isEqualTo(0.25);
        assertThat(depth.of("h.1.mlp.c_fc.weight")).isEqualTo(0.5);
    }
}
