package dev.tributary.models;

import java.util.List;

/// The size and kind of an encoder with learnt positions.
///
/// @param layout how its family names and arranges its parameters
/// @param architecture the class the checkpoint was saved from
/// @param layers transformer layers
/// @param hidden width of the hidden states
/// @param heads attention heads a layer
/// @param intermediate width inside the feed-forward network
/// @param vocabulary rows of the word embedding
/// @param positions rows of the position embedding
/// @param tokenTypes rows of the token type embedding; 0 where there is none
/// @param layerNormEpsilon added to the variance in layer norms
/// @param activation of the feed-forward network
/// @param padding the token that stands for none
/// @param labels by id; empty where the model classifies nothing
public record EncoderConfig(
        EncoderLayout layout,
        String architecture,
        int layers,
        int hidden,
        int heads,
        int intermediate,
        int vocabulary,
        int positions,
        int tokenTypes,
        double layerNormEpsilon,
        Activation activation,
        int padding,
        List<String> labels)
        implements ModelConfig {
    private static final double EPSILON = 1e-12;

    public EncoderConfig {
        labels = List.copyOf(labels);
    }

    @Override
    public int maxPositions() {
        return positions - firstPosition();
    }

    /// The row of the position embedding that the first token gets.
    int firstPosition() {
        return layout.positionsFromTokens() ? padding + 1 : 0;
    }

    static EncoderConfig read(ConfigReader reader, EncoderLayout layout) {
        String architecture = reader.architecture(layout.bareClass());
        String positions = reader.field("position_embedding_type").asText("absolute");
        if (!positions.equals("absolute")) {
            reader.refuse(
                    "position_embedding_type is '%s', expected 'absolute'".formatted(positions));
        }
        boolean distilled = layout == EncoderLayout.DISTILBERT;
        String hiddenKey = distilled ? "dim" : "hidden_size";
        int layers = reader.size(distilled ? "n_layers" : "num_hidden_layers");
        int hidden = reader.size(hiddenKey);
        int heads = reader.heads(distilled ? "n_heads" : "num_attention_heads", hiddenKey, hidden);
        int intermediate = reader.size(distilled ? "hidden_dim" : "intermediate_size");
        int vocabulary = reader.size("vocab_size");
        int rows = reader.size("max_position_embeddings");
        int tokenTypes = distilled ? 0 : reader.size("type_vocab_size");
        double epsilon = distilled ? EPSILON : reader.number("layer_norm_eps", EPSILON);
        Activation activation =
                reader.activation(distilled ? "activation" : "hidden_act", Activation.GELU.key());
        int padding = reader.field("pad_token_id").asInt(layout.padding());
        List<String> labels = reader.labels(architecture);
        return reader.orRefuse(() ->
                new EncoderConfig(
                        layout,
                        architecture,
                        layers,
                        hidden,
                        heads,
                        intermediate,
                        vocabulary,
                        rows,
                        tokenTypes,
                        epsilon,
                        activation,
                        padding,
                        labels));
    }
}
