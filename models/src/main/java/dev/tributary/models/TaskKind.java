package dev.tributary.models;

import java.util.Arrays;
import java.util.Optional;

/// What a task asks of a model.
public enum TaskKind {
    /// To choose one of several labels for a text or a pair of texts.
    CLASSIFICATION("classification"),
    /// To choose one of several labels for an image.
    IMAGE_CLASSIFICATION("image_classification"),
    /// To answer with a text of its own, token by token.
    GENERATION("generation");

    private final String id;

    TaskKind(String id) {
        this.id = id;
    }

    /// Its name in a task definition.
    public String id() {
        return id;
    }

    /// The kind of this name, if there is one.
    public static Optional<TaskKind> of(String id) {
        return Arrays.stream(values()).filter(kind -> kind.id.equals(id)).findFirst();
    }
}
