package dev.tributary.cli;

/// A pool event that the broker has.
///
/// @param eventId its id
/// @param partition of the topic of pool events it lies in; its answers get the same number
/// @param offset its place there
public record Published(String eventId, int partition, long offset) {}
