package dev.tributary.models;

import java.util.List;

/// The size and kind of a vision transformer.
///
/// @param layout what its family calls its parts
/// @param architecture the class the checkpoint was saved from
/// @param layers transformer layers
/// @param hidden width of the hidden states
/// @param heads attention heads a layer
/// @param intermediate width inside the feed-forward network
/// @param imageSize pixels along each side of an image
/// @param patchSize pixels along each side of a patch
/// @param channels numbers a pixel
/// @param layerNormEpsilon added to the variance in layer norms
/// @param activation of the feed-forward network
/// @param inputBiases whether queries, keys and values have a bias
/// @param projection width of what is put out; 0 where that is the hidden state
/// @param labels by id; empty where the model classifies nothing
public record VisionConfig(
        VisionLayout layout,
        String architecture,
        int layers,
        int hidden,
        int heads,
        int intermediate,
        int imageSize,
        int patchSize,
        int channels,
        double layerNormEpsilon,
        Activation activation,
        boolean inputBiases,
        int projection,
        List<String> labels)
        implements ModelConfig {

    public VisionConfig {
        labels = List.copyOf(labels);
    }

    /// There are no words.
    @Override
    public int vocabulary() {
        return 0;
    }

    /// Patches, and the class token before them.
    @Override
    public int maxPositions() {
        return patches() + 1;
    }

    int patches() {
        int side = imageSize / patchSize;
        return side * side;
    }

    static VisionConfig vit(ConfigReader reader) {
        return read(
                reader,
                VisionLayout.VIT,
                reader.architecture("ViTModel"),
                1e-12,
                Activation.GELU,
                reader.field("qkv_bias").asBoolean(true));
    }

    static VisionConfig clip(ConfigReader reader) {
        return read(
                reader,
                VisionLayout.CLIP,
                reader.architecture("CLIPVisionModelWithProjection"),
                1e-5,
                Activation.QUICK_GELU,
                true);
    }

    private static VisionConfig read(
            ConfigReader reader,
            VisionLayout layout,
            String architecture,
            double epsilon,
            Activation activation,
            boolean inputBiases) {
        int hidden = reader.size("hidden_size");
        int heads = reader.heads("num_attention_heads", "hidden_size", hidden);
        int layers = reader.size("num_hidden_layers");
        int intermediate = reader.size("intermediate_size");
        int image = reader.size("image_size", 224);
        int patch = reader.size("patch_size", layout == VisionLayout.VIT ? 16 : 32);
        if (patch > 0 && image % patch != 0) {
            reader.refuse("image_size %d is no multiple of patch_size %d".formatted(image, patch));
        }
        int channels = reader.size("num_channels", 3);
        double norm = reader.number("layer_norm_eps", epsilon);
        Activation read = reader.activation("hidden_act", activation.key());
        boolean projects = architecture.endsWith("WithProjection");
        int projection = projects ? reader.size("projection_dim", 512) : 0;
        List<String> labels = reader.labels(architecture);
        return reader.orRefuse(() ->
                new VisionConfig(
                        layout,
                        architecture,
                        layers,
                        hidden,
                        heads,
                        intermediate,
                        image,
                        patch,
                        channels,
                        norm,
                        read,
                        inputBiases,
                        projection,
                        labels));
    }
}
