package dev.tributary.merging.method;

/// How coefficients are learnt by descent on a loss: which there are, how far a step goes and when
/// it ends.
///
/// @param granularity one coefficient a task, one a task and layer group, or one a task and tensor
/// @param learningRate Adam's step at its largest
/// @param decay how the step shrinks from the first to the last
/// @param samplesPerStep calibration items of each task a step looks at
/// @param maxSteps when to stop at the latest, and where the decay ends
/// @param warmSteps the same where most of it starts from coefficients that were learnt before; 0
///   for no difference
/// @param calibrationItems at most how many items of each task's calibration set are used
/// @param evaluateEvery after how many steps the loss over all items is measured
/// @param patience how many measurements in a row may bring no improvement before it stops
/// @param minImprovement the relative fall of that loss which counts as an improvement
/// @param shares in how many shares the tasks are gone through, each with sums of its own
/// @param seed which items a step looks at; the same seed, the same coefficients
public record DescentSettings(
        Granularity granularity,
        double learningRate,
        Decay decay,
        int samplesPerStep,
        int maxSteps,
        int warmSteps,
        int calibrationItems,
        int evaluateEvery,
        int patience,
        double minImprovement,
        int shares,
        long seed) {
    static final Bound LEARNING_RATE = Bound.above("learning_rate", 0, 1);
    static final Bound SAMPLES_PER_STEP = Bound.from("samples_per_step", 1, 1024);
    static final Bound MAX_STEPS = Bound.from("max_steps", 0, 100_000);
    static final Bound WARM_STEPS = Bound.from("warm_steps", 0, 100_000);
    static final Bound CALIBRATION_ITEMS = Bound.from("calibration_items", 1, 100_000);
    static final Bound EVALUATE_EVERY = Bound.from("evaluate_every", 1, 100_000);
    static final Bound PATIENCE = Bound.from("patience", 1, 100_000);
    static final Bound MIN_IMPROVEMENT = Bound.from("min_improvement", 0, 1);
    static final Bound SHARES = Bound.from("shares", 1, 1024);

    public DescentSettings {
        LEARNING_RATE.require(learningRate);
        SAMPLES_PER_STEP.require(samplesPerStep);
        MAX_STEPS.require(maxSteps);
        WARM_STEPS.require(warmSteps);
        CALIBRATION_ITEMS.require(calibrationItems);
        EVALUATE_EVERY.require(evaluateEvery);
        PATIENCE.require(patience);
        MIN_IMPROVEMENT.require(minImprovement);
        SHARES.require(shares);
    }
}
