package dev.tributary.merging.method;

/// What the base model is to a method.
public enum BaseRole {
    /// Task vectors are differences from it.
    SUBTRACTED,
    /// Says which tensors there are; its weights have no part in the merge.
    TEMPLATE,
    /// Task vectors are differences from it if a recipe names one, else the weights themselves are
    /// merged.
    OPTIONAL,
    /// One of the two models between which the merge lies: it is an expert too.
    ENDPOINT
}
