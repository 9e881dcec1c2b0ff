package dev.tributary.models;

/// The classes of `transformers` that load a task's checkpoint.
public enum Loader {
    /// Of texts, by a classifier.
    SEQUENCE_CLASSIFIER("AutoModelForSequenceClassification"),
    /// Of images, by a classifier.
    IMAGE_CLASSIFIER("AutoModelForImageClassification"),
    /// Of images, by embeddings of the labels' texts.
    IMAGE_EMBEDDER("CLIPVisionModelWithProjection");

    private final String className;

    Loader(String className) {
        this.className = className;
    }

    public String className() {
        return className;
    }
}
