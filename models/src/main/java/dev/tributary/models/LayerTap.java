package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;

/// Where a forward pass can be listened to: it is told of every input as the layers get it, padding
/// included.
interface LayerTap {
    /// Nobody listens.
    LayerTap NONE =
            new LayerTap() {
                @Override
                public void linear(String weight, PtNDArray input) {
                    // Nobody listens.
                }

                @Override
                public void norm(String scale, PtNDArray input) {
                    // Nobody listens.
                }
            };

    /// Told of what a linear layer reads.
    ///
    /// @param weight the first part of the weight's block
    void linear(String weight, PtNDArray input);

    /// Told of what a LayerNorm reads.
    ///
    /// @param input before it is normalised
    void norm(String scale, PtNDArray input);
}
