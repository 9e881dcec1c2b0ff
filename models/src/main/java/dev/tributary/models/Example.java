package dev.tributary.models;

import org.jspecify.annotations.Nullable;

/// One text, pair of texts or image, with its label when that is known.
///
/// @param text the text; the first of two for a task on pairs; an image as a data URI ([ImageData])
/// @param textPair the second text, or null
/// @param label the label, or the text to be generated; null where none is given (calibration
///   inputs never have one)
public record Example(String text, @Nullable String textPair, @Nullable String label) {

    /// The same input without its label.
    public Example unlabelled() {
        return label == null ? this : new Example(text, textPair, null);
    }
}
