package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// T5 and its kin (Raffel et al. 2020, <https://arxiv.org/abs/1910.10683>; v1.1 and Flan-T5 have a
/// gated feed-forward network and an output weight of their own). All of it is its trunk.
record EncoderDecoderArchitecture(EncoderDecoderConfig config) implements ForwardArchitecture {
    static final String WORDS = "shared.weight";
    static final String HEAD = "lm_head.weight";
    static final String SELF = ".SelfAttention.";
    static final String CROSS = ".EncDecAttention.";
    static final String NORM = ".layer_norm.weight";
    static final String NETWORK = ".DenseReluDense.";
    static final String BIAS = ".block.0.layer.0.SelfAttention.relative_attention_bias.weight";
    static final String FINAL_NORM = ".final_layer_norm.weight";

    /// Copies of the embedding, and a table that is never read.
    private static final Set<String> UNUSED =
            Set.of(
                    "encoder.embed_tokens.weight",
                    "decoder.embed_tokens.weight",
                    "decoder.block.0.layer.1.EncDecAttention.relative_attention_bias.weight");

    private static final Pattern LAYER = Pattern.compile("(encoder|decoder)\\.block\\.(\\d+)\\..+");

    /// A part of a layer: attention to itself, in a decoder attention to the encoder, and the
    /// feed-forward network.
    static String part(String stack, int layer, int part) {
        return "%s.block.%d.layer.%d".formatted(stack, layer, part);
    }

    @Override
    public Optional<String> canonicalName(String fileTensorName) {
        boolean copy = config.tied() && fileTensorName.equals(HEAD);
        return copy || UNUSED.contains(fileTensorName)
                ? Optional.empty()
                : Optional.of(fileTensorName);
    }

    @Override
    public String classifierName(String canonicalName) {
        return canonicalName;
    }

    @Override
    public String encoderName(String canonicalName) {
        return canonicalName;
    }

    @Override
    public int groupOf(String canonicalName) {
        Matcher layer = LAYER.matcher(canonicalName);
        if (layer.matches()) {
            int before = layer.group(1).equals("encoder") ? 0 : config.encoderLayers();
            return 1 + before + Integer.parseInt(layer.group(2));
        }
        return switch (canonicalName) {
            case WORDS -> 0;
            case HEAD -> config.layers() + 2;
            default -> config.layers() + 1;
        };
    }

    @Override
    public List<String> groupNames() {
        List<String> names = new ArrayList<>();
        names.add("embeddings");
        for (int layer = 0; layer < config.encoderLayers(); layer++) {
            names.add("encoder.layer." + layer);
        }
        for (int layer = 0; layer < config.decoderLayers(); layer++) {
            names.add("decoder.layer." + layer);
        }
        names.add("norm");
        if (!config.tied()) {
            names.add("head");
        }
        return names;
    }

    @Override
    public String tokenTable() {
        return WORDS;
    }

    @Override
    public List<Block> blocks() {
        List<Block> blocks = new ArrayList<>();
        blocks.add(Block.of(WORDS, config.vocabulary(), config.hidden()));
        addStack(blocks, "encoder", config.encoderLayers(), false);
        addStack(blocks, "decoder", config.decoderLayers(), true);
        if (!config.tied()) {
            blocks.add(Block.of(HEAD, config.vocabulary(), config.hidden()));
        }
        return blocks;
    }

    private void addStack(List<Block> blocks, String stack, int layers, boolean decodes) {
        long hidden = config.hidden();
        blocks.add(Block.of(stack + BIAS, config.buckets(), config.heads()));
        for (int layer = 0; layer < layers; layer++) {
            addAttention(blocks, part(stack, layer, 0), SELF);
            if (decodes) {
                addAttention(blocks, part(stack, layer, 1), CROSS);
            }
            String network = part(stack, layer, decodes ? 2 : 1);
            blocks.add(Block.of(network + NORM, hidden));
            String inner = network + NETWORK;
            blocks.add(
                    new Block(
                            config.gated()
                                    ? List.of(inner + "wi_0.weight", inner + "wi_1.weight")
                                    : List.of(inner + "wi.weight"),
                            List.of((long) config.intermediate(), hidden)));
            blocks.add(Block.of(inner + "wo.weight", hidden, config.intermediate()));
        }
        blocks.add(Block.of(stack + FINAL_NORM, hidden));
    }

    private void addAttention(List<Block> blocks, String part, String attention) {
        long hidden = config.hidden();
        long wide = (long) config.heads() * config.headWidth();
        String name = part + attention;
        blocks.add(Block.of(part + NORM, hidden));
        if (attention.equals(SELF)) {
            blocks.add(
                    new Block(
                            List.of(name + "q.weight", name + "k.weight", name + "v.weight"),
                            List.of(wide, hidden)));
        } else {
            blocks.add(Block.of(name + "q.weight", wide, hidden));
            blocks.add(
                    new Block(
                            List.of(name + "k.weight", name + "v.weight"), List.of(wide, hidden)));
        }
        blocks.add(Block.of(name + "o.weight", hidden, wide));
    }

    @Override
    public PtNDArray normalised(PtNDArray input) {
        return DecoderForward.normalised(input, config.normEpsilon());
    }

    @Override
    public boolean embeds() {
        return false;
    }

    @Override
    public Optional<Batch> beginning(Batch prompts) {
        return Optional.of(Batch.ofTokens(prompts.rows(), config.startToken()));
    }

    @Override
    public AnsweredTexts answered(TokenizedTexts prompts, List<long[]> answers) {
        return AnsweredTexts.decoded(prompts, answers, config.vocabulary(), config.startToken());
    }

    /// What looks back at the prompt takes keys and values from the encoder's states.
    @Override
    public Batch readBy(String weight, Batch batch) {
        boolean looksBack =
                weight.contains(".EncDecAttention.k") || weight.contains(".EncDecAttention.v");
        return weight.startsWith("decoder.") && !looksBack ? batch.answers() : batch;
    }

    @Override
    public int cachedLayers() {
        return config.decoderLayers();
    }

    @Override
    public ForwardPass forward(
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            @Nullable TokenSubset held,
            LayerTap tap) {
        return new EncoderDecoderForward(config, weights, manager, tap);
    }
}
