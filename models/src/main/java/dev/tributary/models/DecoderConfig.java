package dev.tributary.models;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;

/// The size and kind of a decoder with rotary positions, gated feed-forward networks and root mean
/// square norms.
///
/// @param architecture the class the checkpoint was saved from, e.g. `Qwen2ForCausalLM`
/// @param layers transformer layers
/// @param hidden width of the hidden states
/// @param heads heads of queries a layer
/// @param keyValueHeads heads of keys and values a layer, each shared by several of queries
///   (Ainslie et al. 2023, <https://arxiv.org/abs/2305.13245>)
/// @param headWidth width of a head
/// @param intermediate width inside the feed-forward network
/// @param vocabulary rows of the word embedding
/// @param maxPositions longest input in tokens
/// @param normEpsilon added to the mean square in norms
/// @param activation of the gate
/// @param tied whether the word embedding is the output's weight, too
/// @param attentionBiases which projections of the attention have a bias
/// @param feedForwardBiases whether those of the feed-forward network have
/// @param rotary how positions turn queries and keys
public record DecoderConfig(
        String architecture,
        int layers,
        int hidden,
        int heads,
        int keyValueHeads,
        int headWidth,
        int intermediate,
        int vocabulary,
        int maxPositions,
        double normEpsilon,
        Activation activation,
        boolean tied,
        Biases attentionBiases,
        boolean feedForwardBiases,
        RotaryPositions rotary)
        implements ModelConfig {

    /// Which projections of the attention have a bias.
    public enum Biases {
        /// None.
        NONE,
        /// Those of queries, keys and values.
        INPUTS,
        /// And that of the output.
        ALL
    }

    @Override
    public boolean generates() {
        return true;
    }

    @Override
    public List<String> labels() {
        return List.of();
    }

    static DecoderConfig qwen2(ConfigReader reader) {
        if (reader.field("use_sliding_window").asBoolean(false)) {
            reader.refuse("use_sliding_window is true, expected false: attention sees everything");
        }
        return read(reader, "Qwen2ForCausalLM", Biases.INPUTS, false);
    }

    static DecoderConfig llama(ConfigReader reader) {
        boolean biased = reader.field("attention_bias").asBoolean(false);
        return read(
                reader,
                "LlamaForCausalLM",
                biased ? Biases.ALL : Biases.NONE,
                reader.field("mlp_bias").asBoolean(false));
    }

    static DecoderConfig mistral(ConfigReader reader) {
        JsonNode window = reader.field("sliding_window");
        int positions = reader.size("max_position_embeddings", Integer.MAX_VALUE);
        if (window.isInt() && window.intValue() < positions) {
            reader.refuse(
                    "sliding_window is %d, expected null or at least max_position_embeddings %d: attention sees everything"
                            .formatted(window.intValue(), positions));
        }
        return read(reader, "MistralForCausalLM", Biases.NONE, false);
    }

    private static DecoderConfig read(
            ConfigReader reader, String bareClass, Biases attention, boolean feedForward) {
        int layers = reader.size("num_hidden_layers");
        int hidden = reader.size("hidden_size");
        int heads = reader.size("num_attention_heads");
        int keyValueHeads = reader.size("num_key_value_heads", heads);
        int width = reader.size("head_dim", 0);
        if (width == 0) {
            width = heads > 0 ? hidden / heads : 0;
            if (heads > 0 && hidden % heads != 0) {
                reader.refuse("hidden_size %d is no multiple of %d heads".formatted(hidden, heads));
            }
        }
        if (keyValueHeads > 0 && heads % keyValueHeads != 0) {
            reader.refuse(
                    "num_attention_heads %d is no multiple of num_key_value_heads %d"
                            .formatted(heads, keyValueHeads));
        }
        if (width % 2 != 0) {
            reader.refuse("head_dim %d is odd, expected an even width to turn".formatted(width));
        }
        int headWidth = width;
        int intermediate = reader.size("intermediate_size");
        int vocabulary = reader.size("vocab_size");
        int positions = reader.size("max_position_embeddings");
        double epsilon = reader.number("rms_norm_eps", 1e-6);
        Activation activation = reader.activation("hidden_act", Activation.SILU.key());
        boolean tied = reader.field("tie_word_embeddings").asBoolean(false);
        RotaryPositions rotary = RotaryPositions.read(reader);
        return reader.orRefuse(() ->
                new DecoderConfig(
                        reader.architecture(bareClass),
                        layers,
                        hidden,
                        heads,
                        keyValueHeads,
                        headWidth,
                        intermediate,
                        vocabulary,
                        positions,
                        epsilon,
                        activation,
                        tied,
                        attention,
                        feedForward,
                        rotary));
    }
}
