package dev.tributary.merging.method;

import java.util.List;

/// What it costs to run models over a few texts before a merge: two operations a weight and token
/// on the way forward, four on the way back.
final class PassCost {
    /// Rows of an embedding are looked up, not multiplied.
    private static final String LOOKED_UP = "embeddings.word_embeddings";

    private static final int TYPICAL_TOKENS = 48;
    private static final int FORWARD = 2;
    private static final int BACKWARD = 4;

    private PassCost() {}

    /// One forward pass of every expert.
    ///
    /// @param items texts of each task
    static MergeCost forward(List<MergeTensor> tensors, long items) {
        return of(tensors, items, FORWARD, 1);
    }

    /// One forward pass of every expert and some back, text by text.
    ///
    /// @param back passes back for each one forward
    static MergeCost withGradients(List<MergeTensor> tensors, long items, int back) {
        return of(tensors, items, FORWARD + BACKWARD * back, 3);
    }

    /// The arithmetic of running a model over some texts.
    static double operations(List<MergeTensor> tensors, double texts) {
        double multiplied = 0;
        for (MergeTensor tensor : tensors) {
            multiplied += tensor.name().contains(LOOKED_UP) ? 0 : tensor.elements();
        }
        return FORWARD * multiplied * texts * TYPICAL_TOKENS;
    }

    /// @param copies of the weights in fp32 that are held
    private static MergeCost of(List<MergeTensor> tensors, long items, int operations, int copies) {
        double multiplied = 0;
        long elements = 0;
        for (MergeTensor tensor : tensors) {
            elements += tensor.elements();
            multiplied += tensor.name().contains(LOOKED_UP) ? 0 : tensor.elements();
        }
        double tokens = (double) MatrixMerge.experts(tensors) * items * TYPICAL_TOKENS;
        return MergeCost.passes(tensors, 1, 1)
                .holding(copies * elements * Float.BYTES)
                .computing(operations * multiplied * tokens);
    }
}
