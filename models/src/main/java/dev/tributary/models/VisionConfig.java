package dev.tributary.models;

import java.util.List;

/// The size and kind of a vision transformer.
///
/// @param layout what its family calls its parts
/// @param head how it answers
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
        ImageHead head,
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
                reader,
                VisionLayout.VIT,
                reader.architecture("ViTModel"),
                new Defaults(16, 1e-12, Activation.GELU),
                reader.field("qkv_bias").asBoolean(true));
    }

    /// The image side alone: all of the file is about it.
    static VisionConfig clipVision(ConfigReader reader) {
        return clip(reader, reader, reader.architecture("CLIPVisionModelWithProjection"));
    }

    /// A classifier of images, whose file describes the image side within that of both.
    static VisionConfig clip(ConfigReader reader) {
        String architecture = reader.architecture("CLIPModel");
        if (!architecture.endsWith("ForImageClassification")) {
            reader.refuse(
                    "%s has a side of texts, too, expected its image side alone: saved as CLIPForImageClassification or CLIPVisionModelWithProjection"
                            .formatted(architecture));
        }
        return clip(reader, reader.within("vision_config"), architecture);
    }

    private static VisionConfig clip(
            ConfigReader reader, ConfigReader vision, String architecture) {
        return read(
                reader,
                vision,
                VisionLayout.CLIP,
                architecture,
                new Defaults(32, 1e-5, Activation.QUICK_GELU),
                true);
    }

    /// What `transformers` assumes where a file does not say; within another configuration it
    /// leaves out what is as it assumes.
    private record Defaults(int patch, double epsilon, Activation activation) {
        static final int HIDDEN = 768;
        static final int INTERMEDIATE = 3072;
        static final int LAYERS = 12;
        static final int HEADS = 12;
        static final int IMAGE = 224;
        static final int CHANNELS = 3;
        static final int PROJECTION = 512;
    }

    /// @param reader of what is said of the whole
    /// @param vision of what is said of the image side
    private static VisionConfig read(
            ConfigReader reader,
            ConfigReader vision,
            VisionLayout layout,
            String architecture,
            Defaults defaults,
            boolean inputBiases) {
        int hidden = vision.size("hidden_size", Defaults.HIDDEN);
        int heads = vision.heads("num_attention_heads", Defaults.HEADS, "hidden_size", hidden);
        int layers = vision.size("num_hidden_layers", Defaults.LAYERS);
        int intermediate = vision.size("intermediate_size", Defaults.INTERMEDIATE);
        int image = vision.size("image_size", Defaults.IMAGE);
        int patch = vision.size("patch_size", defaults.patch());
        if (patch > 0 && image % patch != 0) {
            reader.refuse("image_size %d is no multiple of patch_size %d".formatted(image, patch));
        }
        int channels = vision.size("num_channels", Defaults.CHANNELS);
        double norm = vision.number("layer_norm_eps", defaults.epsilon());
        Activation read = vision.activation("hidden_act", defaults.activation().key());
        ImageHead head = ImageHead.of(layout, architecture);
        boolean texts = head == ImageHead.TEXT_WEIGHTS;
        int projection = texts ? vision.size("projection_dim", Defaults.PROJECTION) : 0;
        // Only an expert's file names labels here; transformers' own class knows none.
        List<String> labels =
                texts && reader.field("id2label").isObject()
                        ? reader.labels()
                        : reader.labels(architecture);
        return reader.orRefuse(() ->
                new VisionConfig(
                        layout,
                        head,
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
