package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import org.jspecify.annotations.Nullable;

/// What is added to attention scores: nothing where a token is seen, and where it is not what
/// `transformers` adds, the lowest float.
final class AttentionMask {
    private static final float MASKED = -Float.MAX_VALUE;

    private AttentionMask() {}

    /// Of padding, `[rows, 1, 1, length]`; null where there is none.
    static @Nullable PtNDArray padding(PtNDManager manager, Batch batch) {
        boolean masks = false;
        float[] mask = new float[batch.rows() * batch.length()];
        for (int i = 0; i < mask.length; i++) {
            if (batch.attentionMask()[i] == 0) {
                mask[i] = MASKED;
                masks = true;
            }
        }
        return masks
                ? EngineArrays.floats(manager, mask, batch.rows(), 1, 1, batch.length())
                : null;
    }

    /// Of padding and of what comes later, `[rows, 1, length, seen]`; one for all rows where none
    /// has padding.
    ///
    /// @param cache what was seen before the batch
    static PtNDArray causal(PtNDManager manager, Batch batch, DecoderCache cache) {
        int before = cache.length();
        int seen = before + batch.length();
        boolean padded = cache.padded() || batch.tokens() < batch.inputIds().length;
        int rows = padded ? batch.rows() : 1;
        float[] mask = new float[rows * batch.length() * seen];
        for (int row = 0; row < rows; row++) {
            for (int query = 0; query < batch.length(); query++) {
                for (int key = 0; key < seen; key++) {
                    boolean hidden =
                            key > before + query || (padded && !cache.attends(batch, row, key));
                    mask[(row * batch.length() + query) * seen + key] = hidden ? MASKED : 0;
                }
            }
        }
        return EngineArrays.floats(manager, mask, rows, 1, batch.length(), seen);
    }
}
