package dev.tributary.tensors;

/// The settings of one AdamW step: Loshchilov and Hutter, Decoupled Weight Decay Regularization
/// (2019), Algorithm 2, in the form PyTorch computes it.
///
/// @param learningRate step size, after any schedule
/// @param beta1 decay of the first moment
/// @param beta2 decay of the second moment
/// @param epsilon keeps the division finite
/// @param weightDecay shrinks weights by this times the learning rate
public record AdamW(
        double learningRate, double beta1, double beta2, double epsilon, double weightDecay) {
    public AdamW {
        if (!(learningRate >= 0
                && beta1 >= 0
                && beta1 < 1
                && beta2 >= 0
                && beta2 < 1
                && epsilon > 0
                && weightDecay >= 0)) {
            throw new IllegalArgumentException(
                    "AdamW needs rates >= 0, betas in [0, 1) and epsilon > 0, was lr=%s betas=%s,%s epsilon=%s decay=%s"
                            .formatted(learningRate, beta1, beta2, epsilon, weightDecay));
        }
    }

    /// The usual settings, with this learning rate and decay.
    public static AdamW of(double learningRate, double weightDecay) {
        return new AdamW(learningRate, 0.9, 0.999, 1e-8, weightDecay);
    }

    /// The same settings with another learning rate.
    public AdamW withLearningRate(double rate) {
        return new AdamW(rate, beta1, beta2, epsilon, weightDecay);
    }

    /// The numbers one step multiplies by, in fp32.
    ///
    /// @param step counted from 1; early steps are corrected for moments that began at zero
    Factors factors(long step) {
        double correction1 = 1 - Math.pow(beta1, (double) step);
        double correction2 = 1 - Math.pow(beta2, (double) step);
        return new Factors(
                (float) (1 - learningRate * weightDecay),
                (float) beta1,
                (float) (1 - beta1),
                (float) beta2,
                (float) (1 - beta2),
                (float) (1 / Math.sqrt(correction2)),
                (float) epsilon,
                (float) (-learningRate / correction1));
    }

    /// What a kernel needs of a step.
    record Factors(
            float keep,
            float beta1,
            float oneMinusBeta1,
            float beta2,
            float oneMinusBeta2,
            float rootScale,
            float epsilon,
            float negativeStep) {}
}
