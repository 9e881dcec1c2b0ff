package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/// The size and kind of a model, from a checkpoint's `config.json` (as `transformers` 4 or 5 writes
/// it).
public sealed interface ModelConfig
        permits EncoderConfig, DecoderConfig, EncoderDecoderConfig, VisionConfig {
    /// The class the checkpoint was saved from, e.g. `BertForSequenceClassification`.
    String architecture();

    /// Transformer layers.
    int layers();

    /// Width of the hidden states.
    int hidden();

    /// Width inside the feed-forward network.
    int intermediate();

    /// Rows of the word embedding.
    int vocabulary();

    /// Longest input in tokens.
    int maxPositions();

    /// Labels by id; empty where the model classifies nothing.
    List<String> labels();

    /// Whether it answers with texts of its own.
    default boolean generates() {
        return false;
    }

    /// Bytes a token leaves behind in the layers for the way back, about: inputs and outputs of
    /// norms, of attention and of what follows it, and four times what lies within that.
    default long keptBytes() {
        return layers() * (14L * hidden() + 4L * intermediate()) * Float.BYTES;
    }

    /// How many tokens of a task's inputs this model can take.
    default int tokensFor(TaskDefinition task) {
        TextGeneration generation = task.generation();
        int answered = generation == null ? 0 : generation.maxNewTokens();
        return Math.min(task.maxTokens(), Math.max(1, maxPositions() - answered));
    }

    /// Reads a configuration, or refuses it with everything that is wrong with it.
    ///
    /// @param where what to call the file in a fault
    static ModelConfig of(JsonNode config, String where) {
        return Family.of(config, where).read(new ConfigReader(config, where));
    }
}
