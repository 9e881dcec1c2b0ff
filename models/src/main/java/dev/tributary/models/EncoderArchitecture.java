package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/// Encoders with learnt positions, with or without a pooler and a classifier.
record EncoderArchitecture(EncoderConfig config) implements ForwardArchitecture {
    private static final String WEIGHT = ".weight";
    private static final String BIAS = ".bias";

    @Override
    public Optional<String> canonicalName(String fileTensorName) {
        String name = fileTensorName;
        boolean prefixed = name.startsWith(layout().prefix());
        if (prefixed) {
            name = name.substring(layout().prefix().length());
        }
        if (name.endsWith("LayerNorm.gamma")) {
            name = name.substring(0, name.length() - "gamma".length()) + "weight";
        } else if (name.endsWith("LayerNorm.beta")) {
            name = name.substring(0, name.length() - "beta".length()) + "bias";
        }
        return unused(name) ? Optional.empty() : Optional.of(name);
    }

    /// Position id buffers, heads of pre-training, and a pooler where none is read.
    private boolean unused(String name) {
        return name.startsWith("cls.")
                || name.startsWith("lm_head.")
                || name.startsWith("vocab_")
                || name.endsWith("position_ids")
                || (name.startsWith("pooler.") && !layout().pools());
    }

    private EncoderLayout layout() {
        return config.layout();
    }

    @Override
    public String classifierName(String canonicalName) {
        return taskSpecific(canonicalName) ? canonicalName : layout().prefix() + canonicalName;
    }

    @Override
    public String encoderName(String canonicalName) {
        return canonicalName;
    }

    @Override
    public boolean taskSpecific(String canonicalName) {
        return canonicalName.startsWith("classifier.")
                || canonicalName.startsWith("pre_classifier.");
    }

    @Override
    public boolean optional(String canonicalName) {
        return canonicalName.startsWith("pooler.");
    }

    @Override
    public int groupOf(String canonicalName) {
        Matcher layer = layout().layerPattern().matcher(canonicalName);
        if (layer.matches()) {
            return 1 + Integer.parseInt(layer.group(1));
        }
        return canonicalName.startsWith("embeddings.") ? 0 : config.layers() + 1;
    }

    @Override
    public List<String> groupNames() {
        List<String> names = new ArrayList<>();
        names.add("embeddings");
        for (int layer = 0; layer < config.layers(); layer++) {
            names.add("layer." + layer);
        }
        if (layout().pools()) {
            names.add("pooler");
        }
        return names;
    }

    @Override
    public String tokenTable() {
        return EncoderLayout.WORDS;
    }

    @Override
    public boolean packs() {
        return true;
    }

    @Override
    public boolean readsTokensOnly() {
        return true;
    }

    @Override
    public List<Block> blocks() {
        long hidden = config.hidden();
        List<Block> blocks = new ArrayList<>();
        blocks.add(Block.of(EncoderLayout.WORDS, config.vocabulary(), hidden));
        blocks.add(Block.of(EncoderLayout.POSITIONS, config.positions(), hidden));
        if (config.tokenTypes() > 0) {
            blocks.add(Block.of(EncoderLayout.TOKEN_TYPES, config.tokenTypes(), hidden));
        }
        addNorm(blocks, EncoderLayout.EMBEDDING_NORM);
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer(blocks, layout().layer(layer));
        }
        if (layout().pools()) {
            addLinear(blocks, layout().headHidden(), hidden, hidden);
        }
        return blocks;
    }

    @Override
    public List<Block> classifierBlocks(int labels) {
        List<Block> blocks = new ArrayList<>();
        if (!layout().pools()) {
            addLinear(blocks, layout().headHidden(), config.hidden(), config.hidden());
        }
        addLinear(blocks, layout().headOutput(), labels, config.hidden());
        return blocks;
    }

    @Override
    public Optional<String> labelWeight() {
        return Optional.of(outputWeight());
    }

    /// The weight whose rows are the labels.
    String outputWeight() {
        return layout().headOutput() + WEIGHT;
    }

    /// The weight of the layer before the last of what classifies.
    String hiddenWeight() {
        return layout().headHidden() + WEIGHT;
    }

    @Override
    public PtNDArray normalised(PtNDArray input) {
        return LayerNorm.normalised(input, config.hidden(), config.layerNormEpsilon());
    }

    @Override
    public ForwardPass forward(
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            @Nullable TokenSubset held,
            LayerTap tap) {
        return new EncoderForward(config, weights, manager, held, tap);
    }

    private void addLayer(List<Block> blocks, String layer) {
        long hidden = config.hidden();
        long inner = config.intermediate();
        EncoderLayout.Layer parts = layout().parts();
        List<String> read =
                List.of(layer + parts.query(), layer + parts.key(), layer + parts.value());
        blocks.add(
                new Block(
                        read.stream().map(name -> name + WEIGHT).toList(),
                        List.of(hidden, hidden)));
        blocks.add(new Block(read.stream().map(name -> name + BIAS).toList(), List.of(hidden)));
        addLinear(blocks, layer + parts.attended(), hidden, hidden);
        addNorm(blocks, layer + parts.attendedNorm());
        addLinear(blocks, layer + parts.inner(), inner, hidden);
        addLinear(blocks, layer + parts.outer(), hidden, inner);
        addNorm(blocks, layer + parts.outerNorm());
    }

    private static void addLinear(List<Block> blocks, String name, long outputs, long inputs) {
        blocks.add(Block.of(name + WEIGHT, outputs, inputs));
        blocks.add(Block.of(name + BIAS, outputs));
    }

    private void addNorm(List<Block> blocks, String norm) {
        blocks.add(Block.of(norm + WEIGHT, config.hidden()));
        blocks.add(Block.of(norm + BIAS, config.hidden()));
    }
}
