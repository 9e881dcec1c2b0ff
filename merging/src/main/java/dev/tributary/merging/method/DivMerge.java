package dev.tributary.merging.method;

import java.util.List;
import java.util.Map;

/// DivMerge: the coefficients of the task vectors are learnt so that the merged model answers every
/// task's calibration inputs as that task's expert does (arXiv 2509.02108, equations 3 and 4). No
/// labels are used, and the coefficients are not constrained.
///
/// @param granularity one coefficient a task, or one a task and layer group
/// @param divergence how a difference between two answers is measured
/// @param learningRate Adam's step at its largest; the paper uses 0.01
/// @param decay how the step shrinks from the first to the last
/// @param samplesPerStep calibration items of each task a step looks at; the paper uses 4
/// @param maxSteps when to stop at the latest, and where the decay ends
/// @param calibrationItems at most how many items of each task's calibration set are used
/// @param evaluateEvery after how many steps the loss over all items is measured
/// @param patience how many measurements in a row may bring no improvement before it stops
/// @param minImprovement the relative fall of that loss which counts as an improvement
/// @param seed which items a step looks at; the same seed, the same coefficients
public record DivMerge(
        Granularity granularity,
        Divergence divergence,
        double learningRate,
        Decay decay,
        int samplesPerStep,
        int maxSteps,
        int calibrationItems,
        int evaluateEvery,
        int patience,
        double minImprovement,
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
    private static final Option<Divergence> DIVERGENCE =
            Option.choice(
                    "divergence",
                    Divergence.class,
                    Divergence::id,
                    Divergence.JS,
                    "Jensen–Shannon, or KL(expert ‖ merged); natural logarithm");
    private static final Option<Double> LEARNING_RATE =
            Option.real(
                    Bound.above("learning_rate", 0, 1),
                    0.1,
                    "Adam's step; the paper's 0.01 needs about four times the steps");
    private static final Option<Decay> DECAY =
            Option.choice(
                    "decay",
                    Decay.class,
                    Decay::id,
                    Decay.COSINE,
                    "how the step shrinks: none (the paper), or along half a cosine to nothing");
    private static final Option<Integer> SAMPLES_PER_STEP =
            Option.whole(
                    Bound.from("samples_per_step", 1, 1024),
                    4,
                    "inputs of each task in a step; the paper's");
    private static final Option<Integer> MAX_STEPS =
            Option.whole(
                    Bound.from("max_steps", 0, 100_000),
                    120,
                    "stops at the latest after so many steps");
    private static final Option<Integer> CALIBRATION_ITEMS =
            Option.whole(
                    Bound.from("calibration_items", 1, 100_000),
                    64,
                    "at most so many inputs of each task");
    private static final Option<Integer> EVALUATE_EVERY =
            Option.whole(
                    Bound.from("evaluate_every", 1, 100_000),
                    20,
                    "steps between measurements of the loss over all inputs; the best coefficients"
                            + " so far are kept");
    private static final Option<Integer> PATIENCE =
            Option.whole(
                    Bound.from("patience", 1, 100_000),
                    3,
                    "measurements in a row without improvement before it stops");
    private static final Option<Double> MIN_IMPROVEMENT =
            Option.real(
                    Bound.from("min_improvement", 0, 1),
                    0.01,
                    "the relative fall of the loss that counts as improvement");
    private static final Option<Long> SEED = Option.seed(17, "which inputs a step looks at");

    static final MethodEntry<DivMerge> ENTRY =
            new MethodEntry<>(
                            DivMerge.class,
                            "divmerge",
                            "DivMerge",
                            "https://arxiv.org/abs/2509.02108",
                            "equations 3 and 4",
                            "θ₀ + Σ Γ_t τ_t (task level) or per layer θ₀ˡ + Σ Γ_tˡ τ_tˡ (layer"
                                    + " level), Γ learnt",
                            DivMerge::of)
                    .option(GRANULARITY, DivMerge::granularity)
                    .option(DIVERGENCE, DivMerge::divergence)
                    .option(LEARNING_RATE, DivMerge::learningRate)
                    .option(DECAY, DivMerge::decay)
                    .option(SAMPLES_PER_STEP, DivMerge::samplesPerStep)
                    .option(MAX_STEPS, DivMerge::maxSteps)
                    .option(CALIBRATION_ITEMS, DivMerge::calibrationItems)
                    .option(EVALUATE_EVERY, DivMerge::evaluateEvery)
                    .option(PATIENCE, DivMerge::patience)
                    .option(MIN_IMPROVEMENT, DivMerge::minImprovement)
                    .option(SEED, DivMerge::seed);

    /// Rows of an embedding are looked up, not multiplied.
    private static final String LOOKED_UP = "embeddings.word_embeddings";

    private static final int TYPICAL_TOKENS = 48;

    /// Activations kept for the backward pass, as multiples of the weights: generous for the small
    /// batches of an optimisation step.
    private static final int ACTIVATION_SHARE = 2;

    public DivMerge {
        require(LEARNING_RATE, learningRate);
        require(SAMPLES_PER_STEP, samplesPerStep);
        require(MAX_STEPS, maxSteps);
        require(CALIBRATION_ITEMS, calibrationItems);
        require(EVALUATE_EVERY, evaluateEvery);
        require(PATIENCE, patience);
        require(MIN_IMPROVEMENT, minImprovement);
    }

    private static <T> void require(Option<T> option, T value) {
        option.parse(option.text(value));
    }

    private static DivMerge of(OptionValues values) {
        return new DivMerge(
                values.get(GRANULARITY),
                values.get(DIVERGENCE),
                values.get(LEARNING_RATE),
                values.get(DECAY),
                values.get(SAMPLES_PER_STEP),
                values.get(MAX_STEPS),
                values.get(CALIBRATION_ITEMS),
                values.get(EVALUATE_EVERY),
                values.get(PATIENCE),
                values.get(MIN_IMPROVEMENT),
                values.get(SEED));
    }

    /// Every option at its default: layer-level coefficients, the Jensen-Shannon divergence.
    public static DivMerge defaults() {
        return MergeMethod.of(ENTRY.id(), Map.of()).as(DivMerge.class).orElseThrow();
    }

    @Override
    public MethodEntry<DivMerge> entry() {
        return ENTRY;
    }

    @Override
    public OutputLoss loss() {
        return divergence;
    }

    @Override
    public boolean asksExperts() {
        return true;
    }

    /// 1 for a single task, 0.5 for two, 1/n for more. For two the paper's table 9 (0.5) and its
    /// algorithm 1 (1/n) agree.
    @Override
    public double start(int tasks) {
        return 1.0 / tasks;
    }

    @Override
    public boolean clamped() {
        return false;
    }

    /// Weights and gradients in fp32, and one batch's activations; six operations a weight and
    /// token, as for any training step.
    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        long elements = 0;
        long multiplied = 0;
        for (MergeTensor tensor : tensors) {
            elements += tensor.elements();
            multiplied += tensor.name().contains(LOOKED_UP) ? 0 : tensor.elements();
        }
        int tasks = tensors.isEmpty() ? 0 : tensors.getFirst().experts().size();
        long checks = 1L + maxSteps / evaluateEvery;
        double tokens =
                (double) tasks
                        * TYPICAL_TOKENS
                        * ((double) samplesPerStep * maxSteps + calibrationItems * checks / 3.0);
        MergeCost merge = MergeCost.passes(tensors, 1, 1);
        // Every step reads all task vectors twice: two operations for each byte of them.
        double streaming = 20.0 * merge.bytesToRead() * maxSteps;
        return merge.holding(elements * Float.BYTES * (2 + ACTIVATION_SHARE))
                .computing(6.0 * multiplied * tokens + streaming);
    }
}
