package dev.tributary.merging.method;

import java.util.List;

/// AdaMerging: the coefficients of the task vectors are learnt so that the merged model's answers
/// to every task's inputs are as sure as can be, `min sum_t mean_x H(softmax f(x))` (arXiv
/// 2310.02575). Neither labels nor experts are looked at: a sure answer may be a wrong one, and the
/// published figures learn on test inputs. Here only calibration inputs are seen.
///
/// @param granularity one coefficient a task, or one a task and layer group; the official code has
///   one a task and tensor for the latter
/// @param learningRate Adam's step
/// @param init where all coefficients start
/// @param clamp keep coefficients between 0 and 1
/// @param samplesPerStep calibration items of each task a step looks at
/// @param maxSteps when to stop at the latest
/// @param calibrationItems at most how many items of each task's calibration set are used
/// @param evaluateEvery after how many steps the loss over all items is measured
/// @param patience how many measurements in a row may bring no improvement before it stops
/// @param seed which items a step looks at
public record AdaMerging(
        Granularity granularity,
        double learningRate,
        double init,
        boolean clamp,
        int samplesPerStep,
        int maxSteps,
        int calibrationItems,
        int evaluateEvery,
        int patience,
        long seed)
        implements LearnsCoefficients {
    private static final Option<Granularity> GRANULARITY =
            Option.choice(
                    "granularity",
                    Granularity.class,
                    Granularity::id,
                    Granularity.LAYER,
                    "one coefficient a task and layer group, or one a task. Groups: embeddings,"
                            + " each layer, pooler");
    private static final Option<Double> LEARNING_RATE =
            Option.real(Bound.above("learning_rate", 0, 1), 0.001, "Adam's step; the paper's");
    private static final Option<Double> INIT =
            Option.real(Bound.anyNumber("init"), 0.3, "where all coefficients start; the paper's");
    private static final Option<Boolean> CLAMP =
            Option.flag("clamp", true, "keep coefficients between 0 and 1, as the official code");
    private static final Option<Integer> SAMPLES_PER_STEP =
            Option.whole(
                    Bound.from("samples_per_step", 1, 1024),
                    4,
                    "inputs of each task in a step; the official code takes 32");
    private static final Option<Integer> MAX_STEPS =
            Option.whole(
                    Bound.from("max_steps", 0, 100_000),
                    500,
                    "stops at the latest after so many steps; the paper's");
    private static final Option<Integer> CALIBRATION_ITEMS =
            Option.whole(
                    Bound.from("calibration_items", 1, 100_000),
                    64,
                    "at most so many inputs of each task");
    private static final Option<Integer> EVALUATE_EVERY =
            Option.whole(
                    Bound.from("evaluate_every", 1, 100_000),
                    50,
                    "steps between measurements of the loss over all inputs; the best coefficients"
                            + " so far are kept");
    private static final Option<Integer> PATIENCE =
            Option.whole(
                    Bound.from("patience", 1, 100_000),
                    3,
                    "measurements in a row without improvement before it stops");
    private static final Option<Long> SEED = Option.seed(17, "which inputs a step looks at");
    private static final double MIN_IMPROVEMENT = 0.001;

    /// Activations kept for the backward pass, as multiples of the weights.
    private static final int ACTIVATION_SHARE = 2;

    static final MethodEntry<AdaMerging> ENTRY =
            new MethodEntry<>(
                            AdaMerging.class,
                            "adamerging",
                            "AdaMerging",
                            "https://arxiv.org/abs/2310.02575",
                            "task-wise and layer-wise",
                            "θ₀ + Σ λ_t τ_t (task level) or per layer, λ learnt to make the merged"
                                    + " model's answers sure",
                            AdaMerging::of)
                    .option(GRANULARITY, AdaMerging::granularity)
                    .option(LEARNING_RATE, AdaMerging::learningRate)
                    .option(INIT, AdaMerging::init)
                    .option(CLAMP, AdaMerging::clamp)
                    .option(SAMPLES_PER_STEP, AdaMerging::samplesPerStep)
                    .option(MAX_STEPS, AdaMerging::maxSteps)
                    .option(CALIBRATION_ITEMS, AdaMerging::calibrationItems)
                    .option(EVALUATE_EVERY, AdaMerging::evaluateEvery)
                    .option(PATIENCE, AdaMerging::patience)
                    .option(SEED, AdaMerging::seed);

    public AdaMerging {
        require(LEARNING_RATE, learningRate);
        require(INIT, init);
        require(SAMPLES_PER_STEP, samplesPerStep);
        require(MAX_STEPS, maxSteps);
        require(CALIBRATION_ITEMS, calibrationItems);
        require(EVALUATE_EVERY, evaluateEvery);
        require(PATIENCE, patience);
    }

    private static <T> void require(Option<T> option, T value) {
        option.parse(option.text(value));
    }

    private static AdaMerging of(OptionValues values) {
        return new AdaMerging(
                values.get(GRANULARITY),
                values.get(LEARNING_RATE),
                values.get(INIT),
                values.get(CLAMP),
                values.get(SAMPLES_PER_STEP),
                values.get(MAX_STEPS),
                values.get(CALIBRATION_ITEMS),
                values.get(EVALUATE_EVERY),
                values.get(PATIENCE),
                values.get(SEED));
    }

    @Override
    public MethodEntry<AdaMerging> entry() {
        return ENTRY;
    }

    @Override
    public OutputLoss loss() {
        return Entropy.OF_THE_MERGED;
    }

    @Override
    public boolean asksExperts() {
        return false;
    }

    @Override
    public double start(int tasks) {
        return init;
    }

    @Override
    public boolean clamped() {
        return clamp;
    }

    @Override
    public Decay decay() {
        return Decay.NONE;
    }

    @Override
    public double minImprovement() {
        return MIN_IMPROVEMENT;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        MergeCost steps = PassCost.withGradients(tensors, samplesPerStep * maxSteps, 1);
        MergeCost checks =
                PassCost.forward(tensors, calibrationItems * (1 + maxSteps / evaluateEvery));
        long elements = tensors.stream().mapToLong(MergeTensor::elements).sum();
        double streaming = 20.0 * steps.bytesToRead() * maxSteps;
        return steps.holding(elements * Float.BYTES * (2 + ACTIVATION_SHARE))
                .computing(checks.operations() + streaming);
    }
}
