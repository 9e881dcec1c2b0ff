package dev.tributary.models;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// BERT encoders (Devlin et al. 2019, <https://arxiv.org/abs/1810.04805>), with or without a pooler
/// and a classifier.
record BertArchitecture(ModelConfig config) implements Architecture {
    static final String WORDS = "embeddings.word_embeddings.weight";
    static final String POSITIONS = "embeddings.position_embeddings.weight";
    static final String TOKEN_TYPES = "embeddings.token_type_embeddings.weight";
    static final String POOLER_WEIGHT = "pooler.dense.weight";
    static final String POOLER_BIAS = "pooler.dense.bias";
    static final String CLASSIFIER_WEIGHT = "classifier.weight";
    static final String CLASSIFIER_BIAS = "classifier.bias";

    private static final String PREFIX = "bert.";
    private static final Pattern LAYER = Pattern.compile("encoder\\.layer\\.(\\d+)\\..+");

    @Override
    public Optional<String> canonicalName(String fileTensorName) {
        String name = fileTensorName;
        if (name.startsWith(PREFIX)) {
            name = name.substring(PREFIX.length());
        }
        if (name.startsWith("cls.") || name.endsWith("position_ids")) {
            return Optional.empty();
        }
        if (name.endsWith("LayerNorm.gamma")) {
            name = name.substring(0, name.length() - "gamma".length()) + "weight";
        } else if (name.endsWith("LayerNorm.beta")) {
            name = name.substring(0, name.length() - "beta".length()) + "bias";
        }
        return Optional.of(name);
    }

    @Override
    public String classifierName(String canonicalName) {
        return taskSpecific(canonicalName) ? canonicalName : PREFIX + canonicalName;
    }

    @Override
    public String encoderName(String canonicalName) {
        return canonicalName;
    }

    @Override
    public boolean taskSpecific(String canonicalName) {
        return canonicalName.startsWith("classifier.");
    }

    @Override
    public boolean optional(String canonicalName) {
        return canonicalName.startsWith("pooler.");
    }

    @Override
    public SequencedMap<String, List<Long>> trunk() {
        return shapes(blocks());
    }

    @Override
    public SequencedMap<String, List<Long>> classifier(int labels) {
        return shapes(classifierBlocks(labels));
    }

    private static SequencedMap<String, List<Long>> shapes(List<Block> blocks) {
        SequencedMap<String, List<Long>> shapes = new LinkedHashMap<>();
        for (Block block : blocks) {
            block.names().forEach(name -> shapes.put(name, block.shape()));
        }
        return shapes;
    }

    @Override
    public int groupOf(String canonicalName) {
        Matcher layer = LAYER.matcher(canonicalName);
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
        names.add("pooler");
        return names;
    }

    /// The parameters of the trunk as they lie in memory, pooler last.
    List<Block> blocks() {
        long hidden = config.hidden();
        List<Block> blocks = new ArrayList<>();
        blocks.add(Block.of(WORDS, config.vocabulary(), hidden));
        blocks.add(Block.of(POSITIONS, config.maxPositions(), hidden));
        blocks.add(Block.of(TOKEN_TYPES, config.tokenTypes(), hidden));
        addNorm(blocks, "embeddings.LayerNorm");
        for (int layer = 0; layer < config.layers(); layer++) {
            addLayer(blocks, "encoder.layer.%d.".formatted(layer));
        }
        blocks.add(Block.of(POOLER_WEIGHT, hidden, hidden));
        blocks.add(Block.of(POOLER_BIAS, hidden));
        return blocks;
    }

    static boolean isPooler(Block block) {
        return block.names().getFirst().startsWith("pooler.");
    }

    List<Block> classifierBlocks(int labels) {
        return List.of(
                Block.of(CLASSIFIER_WEIGHT, labels, config.hidden()),
                Block.of(CLASSIFIER_BIAS, labels));
    }

    private void addLayer(List<Block> blocks, String layer) {
        long hidden = config.hidden();
        long inner = config.intermediate();
        String self = layer + "attention.self.";
        blocks.add(
                new Block(
                        List.of(self + "query.weight", self + "key.weight", self + "value.weight"),
                        List.of(hidden, hidden)));
        blocks.add(
                new Block(
                        List.of(self + "query.bias", self + "key.bias", self + "value.bias"),
                        List.of(hidden)));
        blocks.add(Block.of(layer + "attention.output.dense.weight", hidden, hidden));
        blocks.add(Block.of(layer + "attention.output.dense.bias", hidden));
        addNorm(blocks, layer + "attention.output.LayerNorm");
        blocks.add(Block.of(layer + "intermediate.dense.weight", inner, hidden));
        blocks.add(Block.of(layer + "intermediate.dense.bias", inner));
        blocks.add(Block.of(layer + "output.dense.weight", hidden, inner));
        blocks.add(Block.of(layer + "output.dense.bias", hidden));
        addNorm(blocks, layer + "output.LayerNorm");
    }

    private void addNorm(List<Block> blocks, String norm) {
        blocks.add(Block.of(norm + ".weight", config.hidden()));
        blocks.add(Block.of(norm + ".bias", config.hidden()));
    }
}
