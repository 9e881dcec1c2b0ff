package dev.tributary.merging;

/// The loss over all calibration items after so many steps.
///
/// @param step steps taken; 0 for the start
/// @param loss mean over tasks of the mean divergence, in nats
public record LossPoint(int step, double loss) {}
