package dev.tributary.models;

import java.util.Locale;
import java.util.regex.Pattern;

/// What the families of encoders call their parts, and the few things they compute differently.
@SuppressWarnings("ImmutableEnumChecker") // what it holds is never changed
public enum EncoderLayout {
    /// Devlin et al. 2019, <https://arxiv.org/abs/1810.04805>: a pooler that belongs to the trunk,
    /// then one linear layer.
    BERT(
            "Bert",
            "encoder.layer.",
            new Layer(
                    "attention.self.query",
                    "attention.self.key",
                    "attention.self.value",
                    "attention.output.dense",
                    "attention.output.LayerNorm",
                    "intermediate.dense",
                    "output.dense",
                    "output.LayerNorm"),
            "pooler.dense",
            "classifier",
            0),
    /// Liu et al. 2019, <https://arxiv.org/abs/1907.11692>: positions count tokens, and two layers
    /// classify, both the task's own.
    ROBERTA("Roberta", "encoder.layer.", BERT.layer, "classifier.dense", "classifier.out_proj", 1),
    /// Sanh et al. 2019, <https://arxiv.org/abs/1910.01108>: no token types, and two layers
    /// classify, both the task's own.
    DISTILBERT(
            "DistilBert",
            "transformer.layer.",
            new Layer(
                    "attention.q_lin",
                    "attention.k_lin",
                    "attention.v_lin",
                    "attention.out_lin",
                    "sa_layer_norm",
                    "ffn.lin1",
                    "ffn.lin2",
                    "output_layer_norm"),
            "pre_classifier",
            "classifier",
            0);

    static final String WORDS = "embeddings.word_embeddings.weight";
    static final String POSITIONS = "embeddings.position_embeddings.weight";
    static final String TOKEN_TYPES = "embeddings.token_type_embeddings.weight";
    static final String EMBEDDING_NORM = "embeddings.LayerNorm";

    /// The parts of a layer, in forward order.
    record Layer(
            String query,
            String key,
            String value,
            String attended,
            String attendedNorm,
            String inner,
            String outer,
            String outerNorm) {}

    private final String className;
    private final String layerPrefix;
    private final Layer layer;
    private final String headHidden;
    private final String headOutput;
    private final int padding;
    private final Pattern layerPattern;

    EncoderLayout(
            String className,
            String layerPrefix,
            Layer layer,
            String headHidden,
            String headOutput,
            int padding) {
        this.className = className;
        this.layerPrefix = layerPrefix;
        this.layer = layer;
        this.headHidden = headHidden;
        this.headOutput = headOutput;
        this.padding = padding;
        this.layerPattern = Pattern.compile(Pattern.quote(layerPrefix) + "(\\d+)\\..+");
    }

    /// What `transformers` calls the class without a head.
    String bareClass() {
        return className + "Model";
    }

    /// Before the names of the trunk where there is a head, too.
    String prefix() {
        return className.toLowerCase(Locale.ROOT) + ".";
    }

    /// Before the names of one layer.
    String layer(int index) {
        return layerPrefix + index + ".";
    }

    Layer parts() {
        return layer;
    }

    Pattern layerPattern() {
        return layerPattern;
    }

    /// The first layer of what classifies.
    String headHidden() {
        return headHidden;
    }

    /// The last one.
    String headOutput() {
        return headOutput;
    }

    /// Whether the first layer of what classifies is the trunk's and merged with it.
    boolean pools() {
        return this == BERT;
    }

    /// Whether tokens are counted for their positions, and padding has a place of its own.
    boolean positionsFromTokens() {
        return this == ROBERTA;
    }

    /// The padding token where a configuration names none.
    int padding() {
        return padding;
    }
}
