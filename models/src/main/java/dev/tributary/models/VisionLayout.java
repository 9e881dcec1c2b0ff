package dev.tributary.models;

import java.util.regex.Pattern;

/// What the families of vision transformers call their parts.
@SuppressWarnings("ImmutableEnumChecker") // what it holds is never changed
public enum VisionLayout {
    /// Dosovitskiy et al. 2021, <https://arxiv.org/abs/2010.11929>.
    VIT(
            "vit.",
            "embeddings.cls_token",
            "embeddings.position_embeddings",
            "embeddings.patch_embeddings.projection",
            "",
            "encoder.layer.",
            new Layer(
                    "layernorm_before",
                    "attention.attention.query",
                    "attention.attention.key",
                    "attention.attention.value",
                    "attention.output.dense",
                    "layernorm_after",
                    "intermediate.dense",
                    "output.dense"),
            "layernorm"),
    /// The image side of Radford et al. 2021, <https://arxiv.org/abs/2103.00020>.
    CLIP(
            "vision_model.",
            "embeddings.class_embedding",
            "embeddings.position_embedding.weight",
            "embeddings.patch_embedding",
            "pre_layrnorm",
            "encoder.layers.",
            new Layer(
                    "layer_norm1",
                    "self_attn.q_proj",
                    "self_attn.k_proj",
                    "self_attn.v_proj",
                    "self_attn.out_proj",
                    "layer_norm2",
                    "mlp.fc1",
                    "mlp.fc2"),
            "post_layernorm");

    static final String CLASSIFIER = "classifier";
    static final String PROJECTION = "visual_projection.weight";

    /// An embedding of each label's text, already times the model's scale: `[labels, projection]`.
    static final String TEXTS = "zeroshot_weights";

    /// The parts of a layer, in forward order.
    record Layer(
            String norm,
            String query,
            String key,
            String value,
            String attended,
            String attendedNorm,
            String inner,
            String outer) {}

    private final String prefix;
    private final String classToken;
    private final String positions;
    private final String patches;
    private final String firstNorm;
    private final String layerPrefix;
    private final Layer layer;
    private final String lastNorm;

    VisionLayout(
            String prefix,
            String classToken,
            String positions,
            String patches,
            String firstNorm,
            String layerPrefix,
            Layer layer,
            String lastNorm) {
        this.prefix = prefix;
        this.classToken = classToken;
        this.positions = positions;
        this.patches = patches;
        this.firstNorm = firstNorm;
        this.layerPrefix = layerPrefix;
        this.layer = layer;
        this.lastNorm = lastNorm;
    }

    /// Before the names of the trunk in a file.
    String prefix() {
        return prefix;
    }

    String classToken() {
        return classToken;
    }

    String positions() {
        return positions;
    }

    String patches() {
        return patches;
    }

    /// The norm before the first layer; empty where there is none.
    String firstNorm() {
        return firstNorm;
    }

    String layer(int index) {
        return layerPrefix + index + ".";
    }

    Pattern layerPattern() {
        return Pattern.compile(Pattern.quote(layerPrefix) + "(\\d+)\\..+");
    }

    Layer parts() {
        return layer;
    }

    /// The norm after the last layer.
    String lastNorm() {
        return lastNorm;
    }
}
