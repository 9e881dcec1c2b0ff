package dev.tributary.models;

/// A loss of a model's outputs, computed on the host, with its derivative.
@FunctionalInterface
public interface LogitLoss {

    /// Returns the loss and fills `gradient` with its derivative with respect to each logit.
    ///
    /// @param logits row-major, `rows * columns`
    /// @param rows how many texts
    /// @param columns how many outputs a text
    /// @param gradient to be filled, same layout, zeros on entry
    double apply(float[] logits, int rows, int columns, float[] gradient);
}
