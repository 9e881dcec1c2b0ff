package dev.tributary.tensors;

/// The NaNs and infinities found in a tensor.
///
/// @param firstIndex index of the first one, counted in elements
/// @param count how many there are
public record NonFinite(long firstIndex, long count) {}
