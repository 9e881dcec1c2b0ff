package dev.tributary.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// The forward pass of a vision transformer, written out over named tensors. Patches do not
/// overlap, so their convolution is one multiplication.
final class VisionForward implements ForwardPass {
    private final VisionConfig config;
    private final VisionLayout layout;
    private final VisionLayout.Layer parts;
    private final Function<String, PtNDArray> weights;
    private final PtNDManager manager;
    private final LayerTap tap;

    VisionForward(
            VisionConfig config,
            Function<String, PtNDArray> weights,
            PtNDManager manager,
            LayerTap tap) {
        this.config = config;
        this.layout = config.layout();
        this.parts = layout.parts();
        this.weights = weights;
        this.manager = manager;
        this.tap = tap;
    }

    /// Class logits `[rows, labels]`, or an embedding of each image.
    @Override
    public PtNDArray outputs(Batch batch, boolean classifies) {
        PtNDArray hidden = run(batch, new ArrayList<>());
        if (classifies && config.head() == ImageHead.PATCH_MEAN) {
            PtNDArray mean = (PtNDArray) hidden.get(":, 1:").mean(new int[] {1});
            return linear(mean, VisionLayout.CLASSIFIER);
        }
        PtNDArray last = norm((PtNDArray) hidden.get(":, 0"), layout.lastNorm());
        if (classifies && config.head() == ImageHead.CLASS_TOKEN) {
            return linear(last, VisionLayout.CLASSIFIER);
        }
        PtNDArray embedding = config.projection() == 0 ? last : projected(last);
        if (!classifies) {
            return embedding;
        }
        NDArray length = embedding.square().sum(new int[] {1}, true).sqrt();
        return JniUtils.linear(embedding.div(length), weights.apply(VisionLayout.TEXTS), null);
    }

    private PtNDArray projected(PtNDArray last) {
        tap.linear(VisionLayout.PROJECTION, last);
        return JniUtils.linear(last, weights.apply(VisionLayout.PROJECTION), null);
    }

    @Override
    public void everyToken(Batch batch, boolean pooler) {
        PtNDArray hidden = run(batch, new ArrayList<>());
        if (layout == VisionLayout.VIT) {
            norm(hidden, layout.lastNorm());
            return;
        }
        PtNDArray last = norm((PtNDArray) hidden.get(":, 0"), layout.lastNorm());
        if (config.projection() > 0) {
            projected(last);
        }
    }

    /// Before the last norm.
    @Override
    public List<PtNDArray> hiddenStates(Batch batch) {
        List<PtNDArray> states = new ArrayList<>();
        states.add(run(batch, states));
        return states;
    }

    private PtNDArray run(Batch batch, List<PtNDArray> states) {
        PtNDArray hidden = embed(batch.images());
        for (int layer = 0; layer < config.layers(); layer++) {
            states.add(hidden);
            hidden = layer(hidden, layout.layer(layer));
        }
        return hidden;
    }

    private PtNDArray embed(Images images) {
        images.refuseUnless(config.channels(), config.imageSize());
        long hidden = config.hidden();
        int rows = images.rows();
        int patch = config.patchSize();
        long numbers = (long) config.channels() * patch * patch;
        PtNDArray patches =
                EngineArrays.floats(
                        manager, images.patches(patch), rows, config.patches(), numbers);
        PtNDArray weight =
                (PtNDArray) weights.apply(layout.patches() + ".weight").reshape(hidden, numbers);
        boolean biased = layout == VisionLayout.VIT;
        PtNDArray embedded =
                JniUtils.linear(
                        patches, weight, biased ? weights.apply(layout.patches() + ".bias") : null);
        NDArray first =
                weights.apply(layout.classToken()).reshape(1, 1, hidden).broadcast(rows, 1, hidden);
        NDArray positions =
                weights.apply(layout.positions()).reshape(1, config.maxPositions(), hidden);
        PtNDArray all = (PtNDArray) first.concat(embedded, 1).add(positions);
        return layout.firstNorm().isEmpty() ? all : norm(all, layout.firstNorm());
    }

    private PtNDArray layer(PtNDArray hidden, String layer) {
        PtNDArray read = norm(hidden, layer + parts.norm());
        PtNDArray between = attention(read, layer).add(hidden);
        PtNDArray inner =
                linear(norm(between, layer + parts.attendedNorm()), layer + parts.inner());
        return linear(config.activation().apply(inner), layer + parts.outer()).add(between);
    }

    private PtNDArray attention(PtNDArray read, String layer) {
        long rows = read.getShape().get(0);
        long length = read.getShape().get(1);
        long width = config.hidden() / config.heads();
        String name = layer + parts.query();
        tap.linear(name + ".weight", read);
        PtNDArray joined =
                JniUtils.linear(
                        read,
                        weights.apply(name + ".weight"),
                        config.inputBiases() ? weights.apply(name + ".bias") : null);
        NDList heads =
                joined.reshape(rows, length, 3, config.heads(), width)
                        .transpose(2, 0, 3, 1, 4)
                        .reshape(3, rows * config.heads(), length, width)
                        .split(3);
        PtNDArray scale = EngineArrays.scalar(manager, 1 / Math.sqrt((double) width));
        NDArray scores =
                heads.get(0).squeeze(0).matMul(heads.get(1).squeeze(0).swapAxes(1, 2)).muli(scale);
        NDArray context =
                scores.softmax(-1)
                        .matMul(heads.get(2).squeeze(0))
                        .reshape(rows, config.heads(), length, width)
                        .transpose(0, 2, 1, 3)
                        .reshape(rows, length, config.hidden());
        return linear((PtNDArray) context, layer + parts.attended());
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
}
