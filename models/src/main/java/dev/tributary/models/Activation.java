package dev.tributary.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.jni.JniUtils;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// The function between the halves of a feed-forward network.
@SuppressWarnings("ImmutableEnumChecker") // what it holds is never changed
public enum Activation {
    /// Gaussian error linear unit, exact (Hendrycks & Gimpel 2016).
    GELU("gelu"),
    /// Its approximation by tanh.
    GELU_TANH("gelu_new", "gelu_pytorch_tanh"),
    /// Its approximation by a sigmoid, as CLIP has it.
    QUICK_GELU("quick_gelu"),
    /// Sigmoid linear unit.
    SILU("silu", "swish"),
    /// Rectified linear unit.
    RELU("relu");

    private static final double QUICK = 1.702;
    private static final double CUBIC = 0.044715;

    private final List<String> keys;

    Activation(String... keys) {
        this.keys = List.of(keys);
    }

    /// Its name in `config.json`.
    public String key() {
        return keys.getFirst();
    }

    static Optional<Activation> of(String key) {
        return Arrays.stream(values()).filter(a -> a.keys.contains(key)).findFirst();
    }

    static List<String> known() {
        return Arrays.stream(values()).map(Activation::key).toList();
    }

    PtNDArray apply(PtNDArray input) {
        PtNDManager manager = input.getManager();
        return switch (this) {
            case GELU -> JniUtils.gelu(input);
            case RELU -> JniUtils.relu(input);
            case SILU -> input.mul(sigmoid(input));
            case QUICK_GELU -> {
                PtNDArray scaled = input.mul(EngineArrays.scalar(manager, QUICK));
                yield input.mul(sigmoid(scaled));
            }
            case GELU_TANH -> {
                NDArray cubic = input.mul(input).mul(input);
                NDArray inner = cubic.mul(EngineArrays.scalar(manager, CUBIC)).add(input);
                PtNDArray root = EngineArrays.scalar(manager, Math.sqrt(2 / Math.PI));
                NDArray tanh = inner.mul(root).tanh().add(EngineArrays.scalar(manager, 1));
                yield input.mul(EngineArrays.scalar(manager, 0.5)).mul(tanh);
            }
        };
    }

    private static PtNDArray sigmoid(PtNDArray input) {
        return (PtNDArray) ai.djl.nn.Activation.sigmoid(new NDList(input)).singletonOrThrow();
    }
}
