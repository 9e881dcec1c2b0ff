package dev.tributary.models;

import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.jni.JniUtils;
import java.util.Arrays;

/// Layer normalisation (Ba et al. 2016, <https://arxiv.org/abs/1607.06450>), composed of two parts.
///
/// The engine can do both in one, but then adds up the gradients of scale and shift in as many sums
/// as there are threads, and their last bits depend on that number.
final class LayerNorm {
    private LayerNorm() {}

    /// With scale and shift.
    static PtNDArray of(PtNDArray input, PtNDArray scale, PtNDArray shift, double epsilon) {
        int width = (int) scale.getShape().size();
        return normalised(input, width, epsilon).mul(scale).addi(shift);
    }

    /// Without scale and shift.
    static PtNDArray normalised(PtNDArray input, int width, double epsilon) {
        float[] ones = new float[width];
        Arrays.fill(ones, 1f);
        return JniUtils.layerNorm(
                input,
                new Shape(width),
                EngineArrays.floats(input.getManager(), ones, width),
                EngineArrays.floats(input.getManager(), new float[width], width),
                epsilon);
    }
}
