package dev.tributary.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDScope;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Keys and values of the tokens a decoder has seen, so that the next token costs one token. They
/// outlive the scope of a step.
final class DecoderCache implements AutoCloseable {
    private final int layers;
    private final List<NDArray> keys = new ArrayList<>();
    private final List<NDArray> values = new ArrayList<>();
    private final List<Batch> seen = new ArrayList<>();
    private final List<NDList> memories = new ArrayList<>();
    private int length;
    private boolean padded;

    /// @param layers of which keys and values are kept; with 0 nothing is
    DecoderCache(int layers) {
        this.layers = layers;
    }

    /// Tokens a row, padding included.
    int length() {
        return length;
    }

    boolean padded() {
        return padded;
    }

    /// Whether a token that was seen, or one of the batch that comes next, is no padding.
    boolean attends(Batch next, int row, int position) {
        int at = position;
        for (Batch batch : seen) {
            if (at < batch.length()) {
                return batch.attentionMask()[row * batch.length() + at] != 0;
            }
            at -= batch.length();
        }
        return next.attentionMask()[row * next.length() + at] != 0;
    }

    /// A layer's keys up to now, these among them: `[rows, heads, tokens, width]`.
    NDArray keys(int layer, NDArray own) {
        return all(keys, layer, own);
    }

    /// A layer's values up to now, these among them.
    NDArray values(int layer, NDArray own) {
        return all(values, layer, own);
    }

    private NDArray all(List<NDArray> kept, int layer, NDArray own) {
        if (layer >= layers) {
            return own;
        }
        @Nullable NDArray before = layer < kept.size() ? kept.get(layer) : null;
        NDArray all = before == null ? own : before.concat(own, 2);
        NDScope.unregister(all);
        if (before == null) {
            kept.add(all);
        } else {
            kept.set(layer, all);
            before.close();
        }
        return all;
    }

    /// What a layer makes of something that stays the same, made once.
    NDList once(int layer, Supplier<NDList> made) {
        if (layer < memories.size()) {
            return memories.get(layer);
        }
        NDList memory = made.get();
        if (layer < layers) {
            memory.forEach(NDScope::unregister);
            memories.add(memory);
        }
        return memory;
    }

    /// The layers have seen a batch.
    void advance(Batch batch) {
        if (layers > 0) {
            seen.add(batch);
            length += batch.length();
            padded |= batch.tokens() < batch.inputIds().length;
        }
    }

    @Override
    public void close() {
        keys.forEach(NDArray::close);
        values.forEach(NDArray::close);
        memories.forEach(NDList::close);
    }
}
