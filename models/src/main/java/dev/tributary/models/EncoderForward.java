package dev.tributary.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The forward pass of an encoder, written out over named tensors.
///
/// Two things make it cheaper than the textbook form without changing a result: query, key and
/// value are one multiplication, and where only the first token is read (a classifier does), the
/// last layer computes only that token.
final class EncoderForward implements ForwardPass {
    private final EncoderConfig config;
    private final Function<String, PtNDArray> weights;
    private final PtNDManager manager;
    private final @Nullable TokenSubset held;
    private final LayerTap tap;
    private final EncoderLayout layout;
    private final EncoderLayout.Layer parts;

    /// @param weights the tensor of a block by the name of its first part
    /// @param manager owns what the pass creates; the caller's scope closes it
    /// @param held the tokens whose embeddings the table holds; null where it holds all
    /// @param tap listens
    EncoderForward(
            EncoderConfig config,
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            @Nullable TokenSubset held,
            LayerTap tap) {
        this.config = config;
        this.weights = weights;
        this.manager = manager;
        this.held = held;
        this.tap = tap;
        this.layout = config.layout();
        this.parts = layout.parts();
    }

    @Override
    public PtNDArray outputs(Batch batch, boolean classifies) {
        return classifies ? logits(firstToken(Packed.of(batch))) : meanEmbeddings(batch);
    }

    @Override
    public List<PtNDArray> outputs(List<Batch> batches, List<? extends ForwardPass> classifiers) {
        Packed packed = Packed.of(batches);
        NDList first = packed.byText(firstToken(packed));
        List<PtNDArray> outputs = new ArrayList<>(batches.size());
        for (int i = 0; i < batches.size(); i++) {
            outputs.add(((EncoderForward) classifiers.get(i)).logits((PtNDArray) first.get(i)));
        }
        return outputs;
    }

    /// Class logits `[rows, labels]` from the first token, through the two layers of what
    /// classifies.
    private PtNDArray logits(PtNDArray firstToken) {
        return linear(pooled(firstToken), layout.headOutput());
    }

    /// The output of the first layer of what classifies, `[rows, hidden]`.
    private PtNDArray pooled(PtNDArray firstToken) {
        PtNDArray hidden = linear(firstToken, layout.headHidden());
        return layout == EncoderLayout.DISTILBERT ? JniUtils.relu(hidden) : hidden.tanh();
    }

    /// The mean of the last hidden states over the tokens of each row, `[rows, hidden]`.
    private PtNDArray meanEmbeddings(Batch batch) {
        PtNDArray hidden = hiddenStates(batch).getLast();
        float[] share = new float[batch.rows() * batch.length()];
        for (int row = 0; row < batch.rows(); row++) {
            int start = row * batch.length();
            long tokens = 0;
            for (int i = 0; i < batch.length(); i++) {
                tokens += batch.attentionMask()[start + i];
            }
            for (int i = 0; i < batch.length(); i++) {
                share[start + i] = (float) batch.attentionMask()[start + i] / Math.max(1, tokens);
            }
        }
        NDArray weighting = EngineArrays.floats(manager, share, batch.rows(), 1, batch.length());
        return (PtNDArray) weighting.matMul(hidden).reshape(batch.rows(), config.hidden());
    }

    @Override
    public List<PtNDArray> hiddenStates(Batch batch) {
        Packed packed = Packed.of(batch);
        List<@Nullable PtNDArray> masks = packed.masks(manager);
        PtNDArray hidden = embed(packed);
        List<PtNDArray> states = new ArrayList<>();
        states.add(hidden);
        for (int layer = 0; layer < config.layers(); layer++) {
            hidden = layer(hidden, packed, masks, layer);
            states.add(hidden);
        }
        states.replaceAll(
                state -> (PtNDArray) state.reshape(batch.rows(), batch.length(), config.hidden()));
        return states;
    }

    @Override
    public void everyToken(Batch batch, boolean pooler) {
        PtNDArray last = hiddenStates(batch).getLast();
        if (pooler) {
            pooled((PtNDArray) last.get(":, 0"));
        }
    }

    private PtNDArray firstToken(Packed packed) {
        List<@Nullable PtNDArray> masks = packed.masks(manager);
        PtNDArray hidden = embed(packed);
        for (int layer = 0; layer < config.layers() - 1; layer++) {
            hidden = layer(hidden, packed, masks, layer);
        }
        return lastLayerOfFirstToken(hidden, packed, masks, config.layers() - 1);
    }

    private PtNDArray embed(Packed packed) {
        long[] ids = packed.join(Batch::inputIds);
        long[] places = held == null ? ids : held.places(ids);
        NDArray sum = embedding(places, EncoderLayout.WORDS);
        sum = sum.add(embedding(packed.join(this::positions), EncoderLayout.POSITIONS));
        if (config.tokenTypes() > 0) {
            PtNDArray types = weights.apply(EncoderLayout.TOKEN_TYPES);
            long[] ofTokens = packed.join(Batch::tokenTypeIds);
            sum =
                    sum.add(
                            allZero(ofTokens)
                                    ? types.get("0:1")
                                    : embedding(ofTokens, EncoderLayout.TOKEN_TYPES));
        }
        return norm((PtNDArray) sum, EncoderLayout.EMBEDDING_NORM);
    }

    private long[] positions(Batch batch) {
        long[] rows = new long[batch.inputIds().length];
        long next = 0;
        for (int i = 0; i < rows.length; i++) {
            if (i % batch.length() == 0) {
                next = layout.positionsFromTokens() ? config.firstPosition() : 0;
            }
            boolean padding =
                    layout.positionsFromTokens() && batch.inputIds()[i] == config.padding();
            rows[i] = padding ? config.padding() : next++;
        }
        return rows;
    }

    private PtNDArray embedding(long[] ids, String table) {
        return EngineArrays.rows(manager, weights.apply(table), ids, new Shape(ids.length));
    }

    private PtNDArray layer(
            PtNDArray hidden, Packed packed, List<@Nullable PtNDArray> masks, int index) {
        String layer = layout.layer(index);
        long width = config.hidden() / config.heads();
        tap.linear(layer + parts.query() + ".weight", hidden);
        PtNDArray joined =
                JniUtils.linear(
                        hidden,
                        weights.apply(layer + parts.query() + ".weight"),
                        weights.apply(layer + parts.query() + ".bias"));
        NDList tokens = packed.byToken(joined);
        NDList contexts = new NDList();
        for (int i = 0; i < tokens.size(); i++) {
            long rows = packed.batches().get(i).rows();
            long length = packed.batches().get(i).length();
            NDList queryKeyValue = heads(tokens.get(i), rows, length, 3);
            NDArray context =
                    attend(
                            queryKeyValue.get(0).squeeze(0),
                            queryKeyValue.get(1).squeeze(0),
                            queryKeyValue.get(2).squeeze(0),
                            masks.get(i),
                            rows);
            contexts.add(
                    context.reshape(rows, config.heads(), length, width)
                            .transpose(0, 2, 1, 3)
                            .reshape(rows * length, config.hidden()));
        }
        return feedForward(Packed.concat(contexts), hidden, layer);
    }

    /// The last layer where only each text's first token is read: `[texts, hidden]`.
    private PtNDArray lastLayerOfFirstToken(
            PtNDArray hidden, Packed packed, List<@Nullable PtNDArray> masks, int index) {
        String layer = layout.layer(index);
        long size = config.hidden();
        long width = size / config.heads();
        NDArray weight = weights.apply(layer + parts.query() + ".weight");
        NDArray bias = weights.apply(layer + parts.query() + ".bias");
        PtNDArray first = packed.firstTokens(hidden);
        NDList queries =
                packed.byText(
                        JniUtils.linear(
                                first,
                                (PtNDArray) weight.get("0:{}", size),
                                (PtNDArray) bias.get("0:{}", size)));
        NDList tokens =
                packed.byToken(
                        JniUtils.linear(
                                hidden,
                                (PtNDArray) weight.get("{}:", size),
                                (PtNDArray) bias.get("{}:", size)));
        NDList contexts = new NDList();
        for (int i = 0; i < tokens.size(); i++) {
            long rows = packed.batches().get(i).rows();
            NDList keyValue = heads(tokens.get(i), rows, packed.batches().get(i).length(), 2);
            contexts.add(
                    attend(
                                    queries.get(i).reshape(rows * config.heads(), 1, width),
                                    keyValue.get(0).squeeze(0),
                                    keyValue.get(1).squeeze(0),
                                    masks.get(i),
                                    rows)
                            .reshape(rows, size));
        }
        return feedForward(Packed.concat(contexts), first, layer);
    }

    /// Takes what lies side by side in a token's row apart, each `[1, rows * heads, length,
    /// width]`.
    private NDList heads(NDArray joined, long rows, long length, long parts) {
        long width = config.hidden() / config.heads();
        return joined.reshape(rows, length, parts, config.heads(), width)
                .transpose(2, 0, 3, 1, 4)
                .reshape(parts, rows * config.heads(), length, width)
                .split(parts);
    }

    /// Scaled dot-product attention (Vaswani et al. 2017, eq. 1) over `[rows * heads, ., width]`.
    private NDArray attend(
            NDArray query, NDArray key, NDArray value, @Nullable PtNDArray mask, long rows) {
        long queries = query.getShape().get(1);
        long keys = key.getShape().get(1);
        PtNDArray scale =
                EngineArrays.scalar(manager, 1 / Math.sqrt((double) query.getShape().get(2)));
        NDArray scores = query.matMul(key.swapAxes(1, 2)).muli(scale);
        if (mask != null) {
            scores = scores.reshape(rows, config.heads(), queries, keys).addi(mask);
        }
        NDArray attention = scores.softmax(-1).reshape(rows * config.heads(), queries, keys);
        return attention.matMul(value);
    }

    private PtNDArray feedForward(PtNDArray context, PtNDArray residual, String layer) {
        PtNDArray attended =
                norm(
                        linear(context, layer + parts.attended()).addi(residual),
                        layer + parts.attendedNorm());
        PtNDArray inner = config.activation().apply(linear(attended, layer + parts.inner()));
        return norm(linear(inner, layer + parts.outer()).addi(attended), layer + parts.outerNorm());
    }

    private PtNDArray linear(PtNDArray input, String name) {
        tap.linear(name + ".weight", input);
        return JniUtils.linear(
                input, weights.apply(name + ".weight"), weights.apply(name + ".bias"));
    }

    private PtNDArray norm(PtNDArray input, String name) {
        tap.norm(name + ".weight", input);
        return LayerNorm.of(
                input,
                weights.apply(name + ".weight"),
                weights.apply(name + ".bias"),
                config.layerNormEpsilon());
    }

    private static boolean allZero(long[] values) {
        for (long value : values) {
            if (value != 0) {
                return false;
            }
        }
        return true;
    }
}
