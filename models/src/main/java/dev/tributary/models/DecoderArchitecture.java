package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Decoders of the Llama kind: Llama (Touvron et al. 2023, <https://arxiv.org/abs/2302.13971>),
/// Mistral, Qwen2. All of a decoder is its trunk, the output's weight included.
record DecoderArchitecture(DecoderConfig config) implements ForwardArchitecture {
    static final String WORDS = "embed_tokens.weight";
    static final String NORM = "norm.weight";
    static final String HEAD = "lm_head.weight";
    static final String QUERY = "self_attn.q_proj";
    static final String KEY = "self_attn.k_proj";
    static final String VALUE = "self_attn.v_proj";
    static final String ATTENDED = "self_attn.o_proj";
    static final String INPUT_NORM = "input_layernorm.weight";
    static final String ATTENDED_NORM = "post_attention_layernorm.weight";
    static final String GATE = "mlp.gate_proj";
    static final String UP = "mlp.up_proj";
    static final String DOWN = "mlp.down_proj";

    private static final String PREFIX = "model.";
    private static final Pattern LAYER = Pattern.compile("layers\\.(\\d+)\\..+");

    static String layer(int index) {
        return "layers." + index + ".";
    }

    @Override
    public Optional<String> canonicalName(String fileTensorName) {
        if (fileTensorName.endsWith("rotary_emb.inv_freq")
                || (config.tied() && fileTensorName.equals(HEAD))) {
            return Optional.empty();
        }
        return Optional.of(
                fileTensorName.startsWith(PREFIX)
                        ? fileTensorName.substring(PREFIX.length())
                        : fileTensorName);
    }

    @Override
    public String classifierName(String canonicalName) {
        return canonicalName.equals(HEAD) ? canonicalName : PREFIX + canonicalName;
    }

    @Override
    public String encoderName(String canonicalName) {
        return classifierName(canonicalName);
    }

    @Override
    public int groupOf(String canonicalName) {
        Matcher layer = LAYER.matcher(canonicalName);
        if (layer.matches()) {
            return 1 + Integer.parseInt(layer.group(1));
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
        for (int layer = 0; layer < config.layers(); layer++) {
            names.add("layer." + layer);
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
    public boolean readsTokensOnly() {
        return !config.tied();
    }

    @Override
    public List<Block> blocks() {
        long hidden = config.hidden();
        List<Block> blocks = new ArrayList<>();
        blocks.add(Block.of(WORDS, config.vocabulary(), hidden));
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer(blocks, layer(layer));
        }
        blocks.add(Block.of(NORM, hidden));
        if (!config.tied()) {
            blocks.add(Block.of(HEAD, config.vocabulary(), hidden));
        }
        return blocks;
    }

    private void addLayer(List<Block> blocks, String layer) {
        long hidden = config.hidden();
        long queries = (long) config.heads() * config.headWidth();
        long keys = (long) config.keyValueHeads() * config.headWidth();
        long inner = config.intermediate();
        boolean inputs = config.attentionBiases() != DecoderConfig.Biases.NONE;
        boolean output = config.attentionBiases() == DecoderConfig.Biases.ALL;
        blocks.add(Block.of(layer + INPUT_NORM, hidden));
        addLinear(blocks, List.of(layer + QUERY), queries, hidden, inputs);
        addLinear(blocks, List.of(layer + KEY, layer + VALUE), keys, hidden, inputs);
        addLinear(blocks, List.of(layer + ATTENDED), hidden, queries, output);
        blocks.add(Block.of(layer + ATTENDED_NORM, hidden));
        boolean biased = config.feedForwardBiases();
        addLinear(blocks, List.of(layer + GATE, layer + UP), inner, hidden, biased);
        addLinear(blocks, List.of(layer + DOWN), hidden, inner, biased);
    }

    private static void addLinear(
            List<Block> blocks, List<String> names, long outputs, long inputs, boolean biased) {
        blocks.add(
                new Block(
                        names.stream().map(n -> n + ".weight").toList(), List.of(outputs, inputs)));
        if (biased) {
            blocks.add(new Block(names.stream().map(n -> n + ".bias").toList(), List.of(outputs)));
        }
    }

    @Override
    public boolean embeds() {
        return false;
    }

    @Override
    public Optional<Batch> beginning(Batch prompts) {
        return Optional.of(prompts);
    }

    @Override
    public AnsweredTexts answered(TokenizedTexts prompts, List<long[]> answers) {
        return AnsweredTexts.following(prompts, answers, config.vocabulary());
    }

    @Override
    public int cachedLayers() {
        return config.layers();
    }

    @Override
    public PtNDArray normalised(PtNDArray input) {
        return DecoderForward.normalised(input, config.normEpsilon());
    }

    @Override
    public ForwardPass forward(
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            @Nullable TokenSubset held,
            LayerTap tap) {
        return new DecoderForward(config, weights, manager, held, tap);
    }
}
