package dev.tributary.merging.method;

/// A sum over forward or backward passes that a method may want of every tensor and expert. Padding
/// never enters one, and a tied weight counts once.
public enum Statistic {
    /// Of a linear layer's weight: `sum x x^T` over the tokens that enter the layer, in the
    /// expert's own forward pass; `in x in` (RegMean, LOT).
    INPUT_GRAM,
    /// Of a linear layer's weight: the tokens that enter the layer themselves, one row each, in the
    /// expert's own forward pass; for a few inputs smaller than their Gram matrix (CAT).
    INPUT_ROWS,
    /// Of a norm's scale: `sum x^2` over the tokens, of the normalised input; as long as the tensor
    /// (LOT, CAT). Shifts have none.
    INPUT_SQUARES,
    /// Mean over examples of the squared gradient of the expert's log-likelihood, per example, over
    /// its own answers; as large as the tensor (Fisher merging).
    FISHER,
    /// Mean over examples with labels of the absolute gradient of the task's loss at the base, per
    /// example; as large as the tensor (TATR).
    ABSOLUTE_GRADIENT
}
