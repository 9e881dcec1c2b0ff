package dev.tributary.cli.demo;

import dev.tributary.cli.FileTrees;
import dev.tributary.models.OnnxBertExtractor;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// The pretrained MiniLM-L6 encoder, which comes in a Maven artifact, as a Hugging Face directory.
public final class BaseModel {
    private static final int HEADS = 12;
    private static final String ONNX = "/all-minilm-l6-v2.onnx";
    private static final String TOKENIZER = "/all-minilm-l6-v2-tokenizer.json";

    private final Path folder;

    /// The base in this folder.
    public BaseModel(Path folder) {
        this.folder = folder;
    }

    /// Its directory, written if it is not there yet.
    public Path directory() {
        Path base = folder.resolve("minilm");
        if (Files.isDirectory(base)) {
            return base;
        }
        Path aside = folder.resolve("minilm.partial");
        FileTrees.delete(aside);
        try (InputStream onnx = resource(ONNX);
                InputStream tokenizer = resource(TOKENIZER)) {
            Files.createDirectories(folder);
            OnnxBertExtractor.extract(onnx, tokenizer, HEADS, aside);
            Files.move(aside, base);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + base, e);
        }
        return base;
    }

    private static InputStream resource(String name) {
        InputStream stream = BaseModel.class.getResourceAsStream(name);
        if (stream == null) {
            throw new IllegalStateException("%s is not on the class path".formatted(name));
        }
        return stream;
    }
}
