package dev.tributary.merging.method;

/// The options of a method that learns its coefficients by descent, with that method's defaults.
final class DescentOptions {
    private final Option<Granularity> granularity;
    private final Option<Double> learningRate;
    private final Option<Decay> decay;
    private final Option<Integer> samplesPerStep;
    private final Option<Integer> maxSteps;
    private final Option<Integer> warmSteps;
    private final Option<Integer> calibrationItems;
    private final Option<Integer> evaluateEvery;
    private final Option<Integer> patience;
    private final Option<Double> minImprovement;
    private final Option<Integer> shares;
    private final Option<Long> seed;

    /// @param rateMeaning what is to be known of the method's learning rate
    /// @param samplesMeaning what is to be known of its inputs in a step
    /// @param stepsMeaning what is to be known of its number of steps
    DescentOptions(
            DescentSettings defaults,
            String rateMeaning,
            String samplesMeaning,
            String stepsMeaning) {
        granularity =
                Option.choice(
                        "granularity",
                        Granularity.class,
                        Granularity::id,
                        defaults.granularity(),
                        "one coefficient a task; one a task and layer group, which are embeddings,"
                                + " each layer, pooler; or one a task and tensor");
        learningRate =
                Option.real(DescentSettings.LEARNING_RATE, defaults.learningRate(), rateMeaning);
        decay =
                Option.choice(
                        "decay",
                        Decay.class,
                        Decay::id,
                        defaults.decay(),
                        "how the step shrinks: none (the paper), or along half a cosine to"
                                + " nothing");
        samplesPerStep =
                Option.whole(
                        DescentSettings.SAMPLES_PER_STEP,
                        defaults.samplesPerStep(),
                        samplesMeaning);
        maxSteps = Option.whole(DescentSettings.MAX_STEPS, defaults.maxSteps(), stepsMeaning);
        warmSteps =
                Option.whole(
                        DescentSettings.WARM_STEPS,
                        defaults.warmSteps(),
                        "instead, where a generation of a pool starts from the last one's"
                                + " coefficients and a task has joined, each a quarter as long, and"
                                + " half as many where none has; 0 for max_steps");
        calibrationItems =
                Option.whole(
                        DescentSettings.CALIBRATION_ITEMS,
                        defaults.calibrationItems(),
                        "at most so many inputs of each task");
        evaluateEvery =
                Option.whole(
                        DescentSettings.EVALUATE_EVERY,
                        defaults.evaluateEvery(),
                        "steps between measurements of the loss over all inputs; the best"
                                + " coefficients so far are kept");
        patience =
                Option.whole(
                        DescentSettings.PATIENCE,
                        defaults.patience(),
                        "measurements in a row without improvement before it stops");
        minImprovement =
                Option.real(
                        DescentSettings.MIN_IMPROVEMENT,
                        defaults.minImprovement(),
                        "the relative fall of the loss that counts as improvement");
        shares =
                Option.whole(
                        DescentSettings.SHARES,
                        defaults.shares(),
                        "the tasks are gone through in so many shares, which idle workers may take;"
                                + " the result depends on it in its last digits");
        seed = Option.seed(defaults.seed(), "which inputs a step looks at");
    }

    /// Adds them to a method.
    <M extends LearnsCoefficients> MethodEntry<M> addTo(MethodEntry<M> entry) {
        return entry.option(granularity, m -> m.descent().granularity())
                .option(learningRate, m -> m.descent().learningRate())
                .option(decay, m -> m.descent().decay())
                .option(samplesPerStep, m -> m.descent().samplesPerStep())
                .option(maxSteps, m -> m.descent().maxSteps())
                .option(warmSteps, m -> m.descent().warmSteps())
                .option(calibrationItems, m -> m.descent().calibrationItems())
                .option(evaluateEvery, m -> m.descent().evaluateEvery())
                .option(patience, m -> m.descent().patience())
                .option(minImprovement, m -> m.descent().minImprovement())
                .option(shares, m -> m.descent().shares())
                .option(seed, m -> m.descent().seed());
    }

    /// What was read for them.
    DescentSettings of(OptionValues values) {
        return new DescentSettings(
                values.get(granularity),
                values.get(learningRate),
                values.get(decay),
                values.get(samplesPerStep),
                values.get(maxSteps),
                values.get(warmSteps),
                values.get(calibrationItems),
                values.get(evaluateEvery),
                values.get(patience),
                values.get(minImprovement),
                values.get(shares),
                values.get(seed));
    }
}
