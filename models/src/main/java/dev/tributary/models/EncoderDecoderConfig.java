package dev.tributary.models;

import java.util.List;

/// The size and kind of an encoder with a decoder, with relative positions as T5 has them.
///
/// @param architecture the class the checkpoint was saved from, e.g. `T5ForConditionalGeneration`
/// @param encoderLayers layers of the encoder
/// @param decoderLayers layers of the decoder
/// @param hidden width of the hidden states
/// @param heads attention heads a layer
/// @param headWidth width of a head; heads together may be wider than the hidden states
/// @param intermediate width inside the feed-forward network
/// @param vocabulary rows of the word embedding
/// @param normEpsilon added to the mean square in norms
/// @param activation of the feed-forward network
/// @param gated whether one half of the feed-forward network's input gates the other
/// @param tied whether the word embedding is the output's weight, too; what it reads is scaled then
/// @param buckets of relative positions
/// @param furthest relative positions from which on all share a bucket
/// @param startToken what the decoder reads first
public record EncoderDecoderConfig(
        String architecture,
        int encoderLayers,
        int decoderLayers,
        int hidden,
        int heads,
        int headWidth,
        int intermediate,
        int vocabulary,
        double normEpsilon,
        Activation activation,
        boolean gated,
        boolean tied,
        int buckets,
        int furthest,
        int startToken)
        implements ModelConfig {
    private static final String GATED = "gated-";

    /// Relative positions have no end.
    @Override
    public int maxPositions() {
        return Integer.MAX_VALUE;
    }

    @Override
    public int layers() {
        return encoderLayers + decoderLayers;
    }

    @Override
    public boolean generates() {
        return true;
    }

    @Override
    public List<String> labels() {
        return List.of();
    }

    static EncoderDecoderConfig read(ConfigReader reader) {
        int layers = reader.size("num_layers");
        int decoderLayers = reader.size("num_decoder_layers", layers);
        int hidden = reader.size("d_model");
        int heads = reader.size("num_heads");
        int headWidth = reader.size("d_kv");
        int intermediate = reader.size("d_ff");
        int vocabulary = reader.size("vocab_size");
        double epsilon = reader.number("layer_norm_epsilon", 1e-6);
        String network = reader.field("feed_forward_proj").asText("relu");
        boolean gated = network.startsWith(GATED);
        String named = gated ? network.substring(GATED.length()) : network;
        // What T5 calls gated gelu has always been the approximation.
        String key = gated && named.equals("gelu") ? Activation.GELU_TANH.key() : named;
        Activation activation =
                Activation.of(key)
                        .orElseGet(() -> {
                            reader.refuse(
                                    "feed_forward_proj is '%s', expected one of %s, or gated-gelu"
                                            .formatted(network, Activation.known()));
                            return Activation.RELU;
                        });
        boolean tied =
                reader.field("scale_decoder_outputs")
                        .asBoolean(reader.field("tie_word_embeddings").asBoolean(true));
        int buckets = reader.size("relative_attention_num_buckets", 32);
        int furthest = reader.size("relative_attention_max_distance", 128);
        int start = reader.field("decoder_start_token_id").asInt(0);
        return reader.orRefuse(() ->
                new EncoderDecoderConfig(
                        reader.architecture("T5ForConditionalGeneration"),
                        layers,
                        decoderLayers,
                        hidden,
                        heads,
                        headWidth,
                        intermediate,
                        vocabulary,
                        epsilon,
                        activation,
                        gated,
                        tied,
                        buckets,
                        furthest,
                        start));
    }

    /// The bucket of a relative position (Raffel et al. 2020, <https://arxiv.org/abs/1910.10683>,
    /// section 2.1): one each for near ones, and wider ones, growing with the logarithm, for those
    /// further away.
    ///
    /// @param relative where the key is, seen from the query
    /// @param bothWays whether keys after the query have buckets of their own
    static int bucket(int relative, boolean bothWays, int buckets, int furthest) {
        int own = bothWays ? buckets / 2 : buckets;
        int first = bothWays && relative > 0 ? own : 0;
        int distance = bothWays ? Math.abs(relative) : Math.max(0, -relative);
        int exact = own / 2;
        if (distance < exact) {
            return first + distance;
        }
        float share =
                (float) Math.log((float) distance / exact)
                        / (float) Math.log((double) furthest / exact);
        return first + Math.min(own - 1, exact + (int) (share * (own - exact)));
    }
}
