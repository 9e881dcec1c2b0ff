package dev.tributary.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/// The forward pass of an encoder with a decoder, written out over named tensors. Scores are not
/// scaled, and what positions add to them is learnt once a stack.
final class EncoderDecoderForward implements ForwardPass {
    private static final String ENCODER = "encoder";
    private static final String DECODER = "decoder";

    private final EncoderDecoderConfig config;
    private final Function<String, PtNDArray> weights;
    private final PtNDManager manager;
    private final LayerTap tap;

    EncoderDecoderForward(
            EncoderDecoderConfig config,
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            LayerTap tap) {
        this.config = config;
        this.weights = weights;
        this.manager = manager;
        this.tap = tap;
    }

    /// The scores of every token of the vocabulary, one row for each position of the answers that
    /// is asked for.
    @Override
    public PtNDArray outputs(Batch batch, boolean classifies) {
        Batch answers = batch.answers();
        PtNDArray read = encode(batch, new ArrayList<>());
        PtNDArray last = decode(answers, batch, () -> read, new DecoderCache(0), new ArrayList<>());
        return scores(EngineArrays.at(manager, last, answers.positions(), config.hidden()));
    }

    @Override
    public void everyToken(Batch batch, boolean pooler) {
        PtNDArray read = encode(batch, new ArrayList<>());
        decode(batch.answers(), batch, () -> read, new DecoderCache(0), new ArrayList<>());
    }

    /// The encoder's, then the decoder's.
    @Override
    public List<PtNDArray> hiddenStates(Batch batch) {
        List<PtNDArray> states = new ArrayList<>();
        PtNDArray read = encode(batch, states);
        states.add(read);
        states.add(decode(batch.answers(), batch, () -> read, new DecoderCache(0), states));
        return states;
    }

    @Override
    public PtNDArray next(Batch prompts, Batch latest, DecoderCache cache) {
        PtNDArray last = decode(latest, prompts, read(prompts), cache, new ArrayList<>());
        return scores(EngineArrays.at(manager, last, latest.ends(), config.hidden()));
    }

    /// The encoder's states, which it is asked for by every layer but only where nothing is kept
    /// yet.
    private Reading read(Batch prompts) {
        AtomicReference<PtNDArray> states = new AtomicReference<>();
        return () -> {
            PtNDArray known = states.get();
            if (known == null) {
                known = encode(prompts, new ArrayList<>());
                states.set(known);
            }
            return known;
        };
    }

    private PtNDArray scores(PtNDArray states) {
        if (!config.tied()) {
            return JniUtils.linear(states, weights.apply(EncoderDecoderArchitecture.HEAD), null);
        }
        PtNDArray scale = EngineArrays.scalar(manager, 1 / Math.sqrt(config.hidden()));
        return JniUtils.linear(
                states.mul(scale), weights.apply(EncoderDecoderArchitecture.WORDS), null);
    }

    private PtNDArray encode(Batch batch, List<PtNDArray> states) {
        PtNDArray mask = AttentionMask.padding(manager, batch);
        NDArray bias = bias(ENCODER, 0, batch.length(), true);
        NDArray added = mask == null ? bias : bias.add(mask);
        PtNDArray hidden = embed(batch);
        for (int layer = 0; layer < config.encoderLayers(); layer++) {
            states.add(hidden);
            hidden = self(hidden, added, ENCODER, layer, new DecoderCache(0));
            hidden = network(hidden, EncoderDecoderArchitecture.part(ENCODER, layer, 1));
        }
        return norm(hidden, ENCODER + EncoderDecoderArchitecture.FINAL_NORM);
    }

    /// What the encoder has read, when it is needed.
    private interface Reading {
        PtNDArray states();
    }

    private PtNDArray decode(
            Batch answers,
            Batch prompts,
            Reading read,
            DecoderCache cache,
            List<PtNDArray> states) {
        NDArray added =
                bias(DECODER, cache.length(), answers.length(), false)
                        .add(AttentionMask.causal(manager, answers, cache));
        PtNDArray padding = AttentionMask.padding(manager, prompts);
        PtNDArray hidden = embed(answers);
        for (int layer = 0; layer < config.decoderLayers(); layer++) {
            states.add(hidden);
            hidden = self(hidden, added, DECODER, layer, cache);
            hidden = cross(hidden, padding, read, layer, cache);
            hidden = network(hidden, EncoderDecoderArchitecture.part(DECODER, layer, 2));
        }
        cache.advance(answers);
        return norm(hidden, DECODER + EncoderDecoderArchitecture.FINAL_NORM);
    }

    private PtNDArray embed(Batch batch) {
        return EngineArrays.rows(
                manager,
                weights.apply(EncoderDecoderArchitecture.WORDS),
                batch.inputIds(),
                new Shape(batch.rows(), batch.length()));
    }

    /// What positions add to the scores, `[1, heads, length, seen]`.
    private NDArray bias(String stack, int before, int length, boolean bothWays) {
        int seen = before + length;
        long[] buckets = new long[length * seen];
        for (int query = 0; query < length; query++) {
            for (int key = 0; key < seen; key++) {
                buckets[query * seen + key] =
                        EncoderDecoderConfig.bucket(
                                key - before - query,
                                bothWays,
                                config.buckets(),
                                config.furthest());
            }
        }
        PtNDArray table = weights.apply(stack + EncoderDecoderArchitecture.BIAS);
        return EngineArrays.rows(manager, table, buckets, new Shape(length, seen))
                .transpose(2, 0, 1)
                .reshape(1, config.heads(), length, seen);
    }

    private PtNDArray self(
            PtNDArray hidden, NDArray added, String stack, int layer, DecoderCache cache) {
        String part = EncoderDecoderArchitecture.part(stack, layer, 0);
        String name = part + EncoderDecoderArchitecture.SELF;
        PtNDArray read = norm(hidden, part + EncoderDecoderArchitecture.NORM);
        NDList joined = heads(linear(read, name + "q"), 3);
        NDArray keys = cache.keys(layer, joined.get(1).squeeze(0));
        NDArray values = cache.values(layer, joined.get(2).squeeze(0));
        return attend(joined.get(0).squeeze(0), keys, values, added, name).add(hidden);
    }

    private PtNDArray cross(
            PtNDArray hidden,
            @Nullable PtNDArray padding,
            Reading reading,
            int layer,
            DecoderCache cache) {
        String part = EncoderDecoderArchitecture.part(DECODER, layer, 1);
        String name = part + EncoderDecoderArchitecture.CROSS;
        PtNDArray read = norm(hidden, part + EncoderDecoderArchitecture.NORM);
        NDArray queries = heads(linear(read, name + "q"), 1).get(0).squeeze(0);
        NDList memory =
                cache.once(
                        layer,
                        () -> {
                            NDList joined = heads(linear(reading.states(), name + "k"), 2);
                            return new NDList(joined.get(0).squeeze(0), joined.get(1).squeeze(0));
                        });
        return attend(queries, memory.get(0), memory.get(1), padding, name).add(hidden);
    }

    /// So many parts of `[rows, length, parts * heads * width]`, each `[1, rows, heads, length,
    /// width]`.
    private NDList heads(PtNDArray joined, int parts) {
        long rows = joined.getShape().get(0);
        long length = joined.getShape().get(1);
        return joined.reshape(rows, length, parts, config.heads(), config.headWidth())
                .transpose(2, 0, 3, 1, 4)
                .split(parts);
    }

    private PtNDArray attend(
            NDArray queries, NDArray keys, NDArray values, @Nullable NDArray added, String name) {
        long rows = queries.getShape().get(0);
        long length = queries.getShape().get(2);
        long seen = keys.getShape().get(2);
        long width = config.headWidth();
        long all = rows * config.heads();
        NDArray scores =
                queries.reshape(all, length, width)
                        .matMul(keys.reshape(all, seen, width).swapAxes(1, 2))
                        .reshape(rows, config.heads(), length, seen);
        NDArray masked = added == null ? scores : scores.add(added);
        NDArray context =
                masked.softmax(-1)
                        .reshape(all, length, seen)
                        .matMul(values.reshape(all, seen, width))
                        .reshape(rows, config.heads(), length, width)
                        .transpose(0, 2, 1, 3)
                        .reshape(rows, length, config.heads() * width);
        return linear((PtNDArray) context, name + "o");
    }

    private PtNDArray network(PtNDArray hidden, String part) {
        String name = part + EncoderDecoderArchitecture.NETWORK;
        PtNDArray read = norm(hidden, part + EncoderDecoderArchitecture.NORM);
        PtNDArray inner;
        if (config.gated()) {
            NDList halves = linear(read, name + "wi_0").split(2, 2);
            PtNDArray gate = config.activation().apply((PtNDArray) halves.get(0));
            inner = gate.mul(halves.get(1));
        } else {
            inner = config.activation().apply(linear(read, name + "wi"));
        }
        return linear(inner, name + "wo").add(hidden);
    }

    private PtNDArray norm(PtNDArray input, String name) {
        tap.norm(name, input);
        return DecoderForward.normalised(input, config.normEpsilon()).mul(weights.apply(name));
    }

    private PtNDArray linear(PtNDArray input, String name) {
        tap.linear(name + ".weight", input);
        return JniUtils.linear(input, weights.apply(name + ".weight"), null);
    }
}
