package dev.tributary.models;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// Sees what goes into the layers of a model while it runs, batch by batch: one row a token, and
/// never a row of padding.
public interface LayerWatcher {

    /// The inputs of linear layers, `y = x W^T + b`.
    ///
    /// @param weights canonical names of the weights that read these rows; query, key and value of
    ///   a layer read the same
    void linear(List<String> weights, Rows inputs);

    /// What a LayerNorm has normalised, before it is scaled and shifted.
    ///
    /// @param scale canonical name of the scale
    void norm(String scale, Rows normalized);

    /// Vectors, one after the other.
    ///
    /// @param count how many
    /// @param width numbers in each
    /// @param values fp32 in native memory, `count * width`; valid until the watcher returns
    record Rows(int count, int width, MemorySegment values) {}
}
