package dev.tributary.models;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.List;

/// Turns examples into what a checkpoint's model reads: texts into token ids, images into numbers.
public sealed interface InputReader extends AutoCloseable permits TextTokenizer, ImageProcessor {

    /// The one that belongs to a checkpoint.
    ///
    /// @throws RefusedException where the checkpoint's folder lacks its files
    static InputReader open(Checkpoint checkpoint) {
        Path folder = checkpoint.directory();
        ModelConfig config = ModelConfig.of(checkpoint.config(), folder + "/config.json");
        return config instanceof VisionConfig vision
                ? ImageProcessor.open(folder, vision)
                : TextTokenizer.open(folder);
    }

    /// What a model reads of these examples.
    ///
    /// @param maxTokens texts are cut to so many tokens, special tokens included
    /// @throws RefusedException with every example that cannot be read
    Inputs read(List<Example> examples, int maxTokens);

    /// The digest of the rules: with equal digests models read equal examples alike.
    Digest digest();

    @Override
    void close();
}
