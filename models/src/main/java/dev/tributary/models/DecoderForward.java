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

/// The forward pass of a decoder, written out over named tensors: every token sees those before it,
/// padding excepted, wherever in the row it is.
///
/// Query heads that share a key and a value are one multiplication, keys and values are another,
/// and so are the gate and what it gates.
final class DecoderForward implements ForwardPass {
    private final DecoderConfig config;
    private final Function<String, PtNDArray> weights;
    private final PtNDManager manager;
    private final @Nullable TokenSubset held;
    private final LayerTap tap;

    DecoderForward(
            DecoderConfig config,
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            @Nullable TokenSubset held,
            LayerTap tap) {
        this.config = config;
        this.weights = weights;
        this.manager = manager;
        this.held = held;
        this.tap = tap;
    }

    /// The scores of every token of the vocabulary, one row for each position that is asked for.
    @Override
    public PtNDArray outputs(Batch batch, boolean classifies) {
        PtNDArray last = run(batch, new DecoderCache(0), new ArrayList<>());
        return scores(EngineArrays.at(manager, last, batch.positions(), config.hidden()));
    }

    @Override
    public void everyToken(Batch batch, boolean pooler) {
        run(batch, new DecoderCache(0), new ArrayList<>());
    }

    @Override
    public List<PtNDArray> hiddenStates(Batch batch) {
        List<PtNDArray> states = new ArrayList<>();
        states.add(run(batch, new DecoderCache(0), states));
        return states;
    }

    @Override
    public PtNDArray next(Batch prompts, Batch latest, DecoderCache cache) {
        return scores(
                EngineArrays.at(
                        manager,
                        run(latest, cache, new ArrayList<>()),
                        latest.ends(),
                        config.hidden()));
    }

    private PtNDArray scores(PtNDArray states) {
        String name = config.tied() ? DecoderArchitecture.WORDS : DecoderArchitecture.HEAD;
        return JniUtils.linear(states, weights.apply(name), null);
    }

    /// @param states what goes into each layer is added
    /// @return the last states, normalised
    private PtNDArray run(Batch batch, DecoderCache cache, List<PtNDArray> states) {
        Shape shape = new Shape(batch.rows(), batch.length());
        long[] places = held == null ? batch.inputIds() : held.places(batch.inputIds());
        PtNDArray hidden =
                EngineArrays.rows(manager, weights.apply(DecoderArchitecture.WORDS), places, shape);
        PtNDArray mask = AttentionMask.causal(manager, batch, cache);
        Turn turn = turn(cache.length(), batch.length());
        for (int layer = 0; layer < config.layers(); layer++) {
            states.add(hidden);
            hidden = layer(hidden, mask, turn, layer, cache);
        }
        cache.advance(batch);
        return norm(hidden, DecoderArchitecture.NORM);
    }

    private PtNDArray layer(
            PtNDArray hidden, PtNDArray mask, Turn turn, int index, DecoderCache cache) {
        String layer = DecoderArchitecture.layer(index);
        PtNDArray read = norm(hidden, layer + DecoderArchitecture.INPUT_NORM);
        PtNDArray attended = attention(read, mask, turn, layer, index, cache);
        PtNDArray between = attended.add(hidden);
        PtNDArray inner = norm(between, layer + DecoderArchitecture.ATTENDED_NORM);
        NDList gated = linear(inner, layer + DecoderArchitecture.GATE).split(2, 2);
        NDArray gate = config.activation().apply((PtNDArray) gated.get(0));
        PtNDArray product = (PtNDArray) gate.mul(gated.get(1));
        return linear(product, layer + DecoderArchitecture.DOWN).add(between);
    }

    private PtNDArray attention(
            PtNDArray read,
            PtNDArray mask,
            Turn turn,
            String layer,
            int index,
            DecoderCache cache) {
        long rows = read.getShape().get(0);
        long length = read.getShape().get(1);
        long width = config.headWidth();
        long shared = config.keyValueHeads();
        NDArray queries =
                linear(read, layer + DecoderArchitecture.QUERY)
                        .reshape(rows, length, config.heads(), width)
                        .transpose(0, 2, 1, 3);
        NDList keyValue =
                linear(read, layer + DecoderArchitecture.KEY)
                        .reshape(rows, length, 2, shared, width)
                        .transpose(2, 0, 3, 1, 4)
                        .split(2);
        NDArray own = turned(keyValue.get(0).squeeze(0), turn);
        NDArray keys = cache.keys(index, own);
        NDArray values = cache.values(index, keyValue.get(1).squeeze(0));
        long seen = keys.getShape().get(2);
        long heads = config.heads() / shared * length;
        NDArray scores =
                turned(queries, turn)
                        .reshape(rows * shared, heads, width)
                        .matMul(keys.reshape(rows * shared, seen, width).swapAxes(1, 2))
                        .muli(EngineArrays.scalar(manager, 1 / Math.sqrt((double) width)));
        NDArray masked = scores.reshape(rows, config.heads(), length, seen).addi(mask);
        NDArray context =
                masked.softmax(-1)
                        .reshape(rows * shared, heads, seen)
                        .matMul(values.reshape(rows * shared, seen, width));
        NDArray merged =
                context.reshape(rows, config.heads(), length, width)
                        .transpose(0, 2, 1, 3)
                        .reshape(rows, length, config.heads() * width);
        return linear((PtNDArray) merged, layer + DecoderArchitecture.ATTENDED);
    }

    /// Cosines and sines of the angles that positions turn by, `[length, width]`.
    private record Turn(PtNDArray cosines, PtNDArray sines) {}

    private Turn turn(int from, int length) {
        double[] frequencies = config.rotary().frequencies(config.headWidth());
        int half = frequencies.length;
        float[] cosines = new float[length * 2 * half];
        float[] sines = new float[cosines.length];
        for (int position = 0; position < length; position++) {
            for (int i = 0; i < 2 * half; i++) {
                // As transformers, which multiplies in single precision.
                float angle = (float) (from + position) * (float) frequencies[i % half];
                cosines[position * 2 * half + i] = (float) Math.cos(angle);
                sines[position * 2 * half + i] = (float) Math.sin(angle);
            }
        }
        return new Turn(
                EngineArrays.floats(manager, cosines, length, 2L * half),
                EngineArrays.floats(manager, sines, length, 2L * half));
    }

    /// `x cos + (-x2, x1) sin`, with the first and the second half of a head.
    private static NDArray turned(NDArray heads, Turn turn) {
        NDList halves = heads.split(2, 3);
        NDArray crossed = halves.get(1).neg().concat(halves.get(0), 3);
        return heads.mul(turn.cosines()).add(crossed.mul(turn.sines()));
    }

    /// Root mean square norm (Zhang & Sennrich 2019, <https://arxiv.org/abs/1910.07467>).
    private PtNDArray norm(PtNDArray input, String name) {
        tap.norm(name, input);
        return normalised(input, config.normEpsilon()).mul(weights.apply(name));
    }

    static PtNDArray normalised(PtNDArray input, double epsilon) {
        PtNDArray square = input.mul(input).mean(new int[] {-1}, true);
        return input.div(square.add(EngineArrays.scalar(input.getManager(), epsilon)).sqrt());
    }

    private PtNDArray linear(PtNDArray input, String name) {
        tap.linear(name + ".weight", input);
        return JniUtils.linear(
                input,
                weights.apply(name + ".weight"),
                bias(name) ? weights.apply(name + ".bias") : null);
    }

    private boolean bias(String name) {
        if (name.contains(".mlp.")) {
            return config.feedForwardBiases();
        }
        return switch (config.attentionBiases()) {
            case NONE -> false;
            case INPUTS -> !name.endsWith(DecoderArchitecture.ATTENDED);
            case ALL -> true;
        };
    }
}
