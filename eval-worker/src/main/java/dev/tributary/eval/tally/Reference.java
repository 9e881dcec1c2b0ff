package dev.tributary.eval.tally;

/// Names an artifact of the store. Passed on as it came: whoever opens the artifact checks it.
///
/// @param uri where it is
/// @param digest what it must contain
/// @param bytes its size
public record Reference(String uri, String digest, long bytes) {}
