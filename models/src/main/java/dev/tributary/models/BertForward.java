package dev.tributary.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The forward pass of a BERT encoder, written out over named tensors.
///
/// Two things make it cheaper than the textbook form without changing a result: query, key and
/// value are one multiplication, and where only the first token is read (a classifier does), the
/// last layer computes only that token.
final class BertForward {
    /// What `transformers` adds to the score of a masked key: the lowest float.
    private static final float MASKED = -Float.MAX_VALUE;

    private final ModelConfig config;
    private final Function<String, PtNDArray> weights;
    private final PtNDManager manager;
    private final LayerTap tap;
    private final Shape normalized;

    /// @param weights the tensor of a block by the name of its first part
    /// @param manager owns what the pass creates; the caller's scope closes it
    BertForward(ModelConfig config, Function<String, PtNDArray> weights, PtNDManager manager) {
        this(config, weights, manager, LayerTap.NONE);
    }

    /// A pass that is listened to.
    BertForward(
            ModelConfig config,
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            LayerTap tap) {
        this.config = config;
        this.weights = weights;
        this.manager = manager;
        this.tap = tap;
        this.normalized = new Shape(config.hidden());
    }

    /// Class logits `[rows, labels]` from the first token, through pooler and classifier.
    PtNDArray logits(Batch batch) {
        return linear(pooled(firstToken(batch)), "classifier");
    }

    /// The pooler's output `[rows, hidden]`.
    PtNDArray pooled(PtNDArray firstToken) {
        return linear(firstToken, "pooler.dense").tanh();
    }

    /// The mean of the last hidden states over the tokens of each row, `[rows, hidden]`.
    PtNDArray meanEmbeddings(Batch batch) {
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

    /// The embeddings' output and each layer's, `[rows, length, hidden]`.
    List<PtNDArray> hiddenStates(Batch batch) {
        PtNDArray mask = mask(batch);
        PtNDArray hidden = embed(batch);
        List<PtNDArray> states = new ArrayList<>();
        states.add(hidden);
        for (int layer = 0; layer < config.layers(); layer++) {
            hidden = layer(hidden, mask, layer);
            states.add(hidden);
        }
        return states;
    }

    /// Runs every layer on every token, as those who listen expect, and the pooler where there is
    /// one.
    void everyToken(Batch batch, boolean pooler) {
        PtNDArray last = hiddenStates(batch).getLast();
        if (pooler) {
            pooled((PtNDArray) last.get(":, 0"));
        }
    }

    private PtNDArray firstToken(Batch batch) {
        PtNDArray mask = mask(batch);
        PtNDArray hidden = embed(batch);
        for (int layer = 0; layer < config.layers() - 1; layer++) {
            hidden = layer(hidden, mask, layer);
        }
        return lastLayerOfFirstToken(hidden, mask, config.layers() - 1);
    }

    private PtNDArray embed(Batch batch) {
        Shape shape = new Shape(batch.rows(), batch.length());
        PtNDArray words = embedding(batch.inputIds(), shape, BertArchitecture.WORDS);
        NDArray positions =
                weights.apply(BertArchitecture.POSITIONS).get("0:{}", (long) batch.length());
        NDArray sum;
        if (allZero(batch.tokenTypeIds())) {
            NDArray firstType = weights.apply(BertArchitecture.TOKEN_TYPES).get("0:1");
            sum = words.add(positions.add(firstType));
        } else {
            sum =
                    words.add(positions)
                            .add(
                                    embedding(
                                            batch.tokenTypeIds(),
                                            shape,
                                            BertArchitecture.TOKEN_TYPES));
        }
        return norm((PtNDArray) sum, "embeddings.LayerNorm");
    }

    private PtNDArray embedding(long[] ids, Shape shape, String table) {
        PtNDArray indices = manager.create(LongBuffer.wrap(ids), shape, DataType.INT64);
        return JniUtils.embedding(indices, weights.apply(table), false);
    }

    private PtNDArray layer(PtNDArray hidden, @Nullable PtNDArray mask, int index) {
        String layer = "encoder.layer.%d.".formatted(index);
        long rows = hidden.getShape().get(0);
        long length = hidden.getShape().get(1);
        long width = config.hidden() / config.heads();
        tap.linear(layer + "attention.self.query.weight", hidden);
        PtNDArray joined =
                JniUtils.linear(
                        hidden,
                        weights.apply(layer + "attention.self.query.weight"),
                        weights.apply(layer + "attention.self.query.bias"));
        NDList queryKeyValue =
                joined.reshape(rows, length, 3, config.heads(), width)
                        .transpose(2, 0, 3, 1, 4)
                        .reshape(3, rows * config.heads(), length, width)
                        .split(3);
        NDArray context =
                attend(
                        queryKeyValue.get(0).squeeze(0),
                        queryKeyValue.get(1).squeeze(0),
                        queryKeyValue.get(2).squeeze(0),
                        mask,
                        rows);
        NDArray merged =
                context.reshape(rows, config.heads(), length, width)
                        .transpose(0, 2, 1, 3)
                        .reshape(rows, length, config.hidden());
        return feedForward((PtNDArray) merged, hidden, layer);
    }

    /// The last layer where only its first token is read: `[rows, hidden]`.
    private PtNDArray lastLayerOfFirstToken(PtNDArray hidden, @Nullable PtNDArray mask, int index) {
        String layer = "encoder.layer.%d.".formatted(index);
        long rows = hidden.getShape().get(0);
        long length = hidden.getShape().get(1);
        long size = config.hidden();
        long width = size / config.heads();
        NDArray weight = weights.apply(layer + "attention.self.query.weight");
        NDArray bias = weights.apply(layer + "attention.self.query.bias");
        PtNDArray first = (PtNDArray) hidden.get(":, 0");
        NDArray query =
                JniUtils.linear(
                                first,
                                (PtNDArray) weight.get("0:{}", size),
                                (PtNDArray) bias.get("0:{}", size))
                        .reshape(rows * config.heads(), 1, width);
        NDList keyValue =
                JniUtils.linear(
                                hidden,
                                (PtNDArray) weight.get("{}:", size),
                                (PtNDArray) bias.get("{}:", size))
                        .reshape(rows, length, 2, config.heads(), width)
                        .transpose(2, 0, 3, 1, 4)
                        .reshape(2, rows * config.heads(), length, width)
                        .split(2);
        NDArray context =
                attend(query, keyValue.get(0).squeeze(0), keyValue.get(1).squeeze(0), mask, rows);
        return feedForward((PtNDArray) context.reshape(rows, size), first, layer);
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
                        linear(context, layer + "attention.output.dense").addi(residual),
                        layer + "attention.output.LayerNorm");
        PtNDArray inner =
                activate(config.activation(), linear(attended, layer + "intermediate.dense"));
        return norm(
                linear(inner, layer + "output.dense").addi(attended), layer + "output.LayerNorm");
    }

    static PtNDArray activate(ModelConfig.Activation activation, PtNDArray input) {
        return switch (activation) {
            case GELU -> JniUtils.gelu(input);
            case RELU -> JniUtils.relu(input);
            case GELU_TANH -> {
                PtNDManager manager = input.getManager();
                NDArray cubic = input.mul(input).mul(input);
                NDArray inner = cubic.mul(EngineArrays.scalar(manager, 0.044715)).add(input);
                PtNDArray root = EngineArrays.scalar(manager, Math.sqrt(2 / Math.PI));
                NDArray tanh = inner.mul(root).tanh().add(EngineArrays.scalar(manager, 1));
                yield input.mul(EngineArrays.scalar(manager, 0.5)).mul(tanh);
            }
        };
    }

    private PtNDArray linear(PtNDArray input, String name) {
        tap.linear(name + ".weight", input);
        return JniUtils.linear(
                input, weights.apply(name + ".weight"), weights.apply(name + ".bias"));
    }

    private PtNDArray norm(PtNDArray input, String name) {
        tap.norm(name + ".weight", input);
        return JniUtils.layerNorm(
                input,
                normalized,
                weights.apply(name + ".weight"),
                weights.apply(name + ".bias"),
                config.layerNormEpsilon());
    }

    /// What is added to the attention scores, `[rows, 1, 1, length]`; null where nothing is masked.
    private @Nullable PtNDArray mask(Batch batch) {
        boolean masks = false;
        float[] mask = new float[batch.rows() * batch.length()];
        for (int i = 0; i < mask.length; i++) {
            if (batch.attentionMask()[i] == 0) {
                mask[i] = MASKED;
                masks = true;
            }
        }
        Shape shape = new Shape(batch.rows(), 1, 1, batch.length());
        return masks ? (PtNDArray) manager.create(mask, shape) : null;
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
