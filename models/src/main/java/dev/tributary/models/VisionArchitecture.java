package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Matcher;
import org.jspecify.annotations.Nullable;

/// Vision transformers, with a classifier or with a projection beside that of texts.
record VisionArchitecture(VisionConfig config) implements ForwardArchitecture {
    private static final String WEIGHT = ".weight";
    private static final String BIAS = ".bias";

    private VisionLayout layout() {
        return config.layout();
    }

    @Override
    public Optional<String> canonicalName(String fileTensorName) {
        if (unused(fileTensorName)) {
            return Optional.empty();
        }
        String prefix = layout().prefix();
        return Optional.of(
                fileTensorName.startsWith(prefix)
                        ? fileTensorName.substring(prefix.length())
                        : fileTensorName);
    }

    /// The side of texts, a pooler nothing reads, and position id buffers.
    private boolean unused(String name) {
        return name.startsWith("text_model.")
                || name.startsWith("text_projection.")
                || name.equals("logit_scale")
                || name.endsWith("position_ids")
                || name.startsWith("pooler.")
                || name.startsWith("vit.pooler.")
                || (config.projection() == 0 && name.equals(VisionLayout.PROJECTION));
    }

    @Override
    public String classifierName(String canonicalName) {
        return taskSpecific(canonicalName) || canonicalName.equals(VisionLayout.PROJECTION)
                ? canonicalName
                : layout().prefix() + canonicalName;
    }

    @Override
    public String encoderName(String canonicalName) {
        return layout() == VisionLayout.VIT ? canonicalName : classifierName(canonicalName);
    }

    @Override
    public boolean taskSpecific(String canonicalName) {
        return canonicalName.startsWith(VisionLayout.CLASSIFIER + ".")
                || canonicalName.equals(VisionLayout.TEXTS);
    }

    @Override
    public Optional<String> labelWeight() {
        return switch (config.head()) {
            case CLASS_TOKEN, PATCH_MEAN -> Optional.of(VisionLayout.CLASSIFIER + WEIGHT);
            case TEXT_WEIGHTS -> Optional.of(VisionLayout.TEXTS);
            case NONE -> Optional.empty();
        };
    }

    @Override
    public Loader loader() {
        return config.head() == ImageHead.TEXT_WEIGHTS
                ? Loader.IMAGE_EMBEDDER
                : Loader.IMAGE_CLASSIFIER;
    }

    @Override
    public int groupOf(String canonicalName) {
        Matcher layer = layout().layerPattern().matcher(canonicalName);
        if (layer.matches()) {
            return 1 + Integer.parseInt(layer.group(1));
        }
        boolean first =
                canonicalName.startsWith("embeddings.")
                        || canonicalName.startsWith("pre_layrnorm.");
        return first ? 0 : config.layers() + 1;
    }

    @Override
    public List<String> groupNames() {
        List<String> names = new ArrayList<>();
        names.add("embeddings");
        for (int layer = 0; layer < config.layers(); layer++) {
            names.add("layer." + layer);
        }
        names.add("norm");
        return names;
    }

    /// There is none.
    @Override
    public String tokenTable() {
        return "";
    }

    @Override
    public List<Block> blocks() {
        long hidden = config.hidden();
        long positions = config.maxPositions();
        boolean clip = layout() == VisionLayout.CLIP;
        List<Block> blocks = new ArrayList<>();
        blocks.add(
                clip
                        ? Block.of(layout().classToken(), hidden)
                        : Block.of(layout().classToken(), 1, 1, hidden));
        blocks.add(
                clip
                        ? Block.of(layout().positions(), positions, hidden)
                        : Block.of(layout().positions(), 1, positions, hidden));
        long patch = config.patchSize();
        blocks.add(Block.of(layout().patches() + WEIGHT, hidden, config.channels(), patch, patch));
        if (!clip) {
            blocks.add(Block.of(layout().patches() + BIAS, hidden));
        } else {
            addNorm(blocks, layout().firstNorm());
        }
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer(blocks, layout().layer(layer));
        }
        addNorm(blocks, layout().lastNorm());
        if (config.projection() > 0) {
            blocks.add(Block.of(VisionLayout.PROJECTION, config.projection(), hidden));
        }
        return blocks;
    }

    private void addLayer(List<Block> blocks, String layer) {
        long hidden = config.hidden();
        long inner = config.intermediate();
        VisionLayout.Layer parts = layout().parts();
        List<String> read =
                List.of(layer + parts.query(), layer + parts.key(), layer + parts.value());
        addNorm(blocks, layer + parts.norm());
        blocks.add(
                new Block(
                        read.stream().map(name -> name + WEIGHT).toList(),
                        List.of(hidden, hidden)));
        if (config.inputBiases()) {
            blocks.add(new Block(read.stream().map(name -> name + BIAS).toList(), List.of(hidden)));
        }
        addLinear(blocks, layer + parts.attended(), hidden, hidden);
        addNorm(blocks, layer + parts.attendedNorm());
        addLinear(blocks, layer + parts.inner(), inner, hidden);
        addLinear(blocks, layer + parts.outer(), hidden, inner);
    }

    private static void addLinear(List<Block> blocks, String name, long outputs, long inputs) {
        blocks.add(Block.of(name + WEIGHT, outputs, inputs));
        blocks.add(Block.of(name + BIAS, outputs));
    }

    private void addNorm(List<Block> blocks, String norm) {
        blocks.add(Block.of(norm + WEIGHT, config.hidden()));
        blocks.add(Block.of(norm + BIAS, config.hidden()));
    }

    /// Every image has a row for each patch and one for the class token, which is all that CLIP
    /// reads after its last layer.
    @Override
    public Batch readBy(String weight, Batch batch) {
        boolean once =
                layout() == VisionLayout.CLIP
                        && (weight.equals(VisionLayout.PROJECTION)
                                || weight.equals(layout().lastNorm() + WEIGHT));
        return once ? batch : Batch.ofTokens(batch.rows() * config.maxPositions(), 0);
    }

    @Override
    public List<Block> classifierBlocks(int labels) {
        List<Block> blocks = new ArrayList<>();
        switch (config.head()) {
            case CLASS_TOKEN, PATCH_MEAN ->
                    addLinear(blocks, VisionLayout.CLASSIFIER, labels, config.hidden());
            case TEXT_WEIGHTS ->
                    blocks.add(Block.of(VisionLayout.TEXTS, labels, config.projection()));
            case NONE -> {}
        }
        return blocks;
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
        return new VisionForward(config, weights, manager, tap);
    }
}
