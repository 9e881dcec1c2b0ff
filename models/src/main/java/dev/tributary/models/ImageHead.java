package dev.tributary.models;

/// How a vision transformer answers.
public enum ImageHead {
    /// A classifier reads the class token: `ViTForImageClassification`.
    CLASS_TOKEN,
    /// A classifier reads the mean of all patches before the last norm:
    /// `CLIPForImageClassification`.
    PATCH_MEAN,
    /// The image's embedding, of length 1, is multiplied with an embedding of each label's text
    /// (Radford et al. 2021, section 3.1, <https://arxiv.org/abs/2103.00020>):
    /// `CLIPVisionModelWithProjection` beside which the expert keeps [VisionLayout#TEXTS].
    TEXT_WEIGHTS,
    /// Nothing classifies.
    NONE;

    static ImageHead of(VisionLayout layout, String architecture) {
        if (layout == VisionLayout.VIT) {
            return CLASS_TOKEN;
        }
        if (architecture.endsWith("WithProjection")) {
            return TEXT_WEIGHTS;
        }
        return architecture.endsWith("ForImageClassification") ? PATCH_MEAN : NONE;
    }
}
