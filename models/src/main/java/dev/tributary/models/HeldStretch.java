package dev.tributary.models;

/// A stretch of a parameter that a running model holds.
///
/// @param from its first element in the whole parameter, as files have it
/// @param heldFrom where that element lies in the model's memory, in elements
/// @param count how many elements
public record HeldStretch(long from, long heldFrom, long count) {

    HeldStretch times(long width) {
        return new HeldStretch(from * width, heldFrom * width, count * width);
    }
}
