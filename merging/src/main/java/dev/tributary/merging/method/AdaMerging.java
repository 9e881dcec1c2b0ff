package dev.tributary.merging.method;

/// AdaMerging: the coefficients of the task vectors are learnt so that the merged model's answers
/// to every task's inputs are as sure as can be, `min sum_t mean_x H(softmax f(x))` (arXiv
/// 2310.02575). Neither labels nor experts are looked at: a sure answer may be a wrong one, and the
/// published figures learn on test inputs. Here only calibration inputs are seen.
///
/// @param descent how they are learnt; what the paper calls layer-wise is one coefficient a task
///   and tensor in the official code
/// @param init where all coefficients start
/// @param clamp keep coefficients between 0 and 1
public record AdaMerging(DescentSettings descent, double init, boolean clamp)
        implements LearnsCoefficients {
    private static final DescentOptions DESCENT =
            new DescentOptions(
                    new DescentSettings(
                            Granularity.LAYER,
                            0.001,
                            Decay.NONE,
                            4,
                            500,
                            0,
                            64,
                            50,
                            3,
                            0.001,
                            1,
                            17),
                    "Adam's step; the paper's",
                    "inputs of each task in a step; the official code takes 32",
                    "stops at the latest after so many steps; the paper's");
    private static final Option<Double> INIT =
            Option.real(Bound.anyNumber("init"), 0.3, "where all coefficients start; the paper's");
    private static final Option<Boolean> CLAMP =
            Option.flag("clamp", true, "keep coefficients between 0 and 1, as the official code");

    static final MethodEntry<AdaMerging> ENTRY =
            DESCENT.addTo(
                    new MethodEntry<>(
                                    AdaMerging.class,
                                    "adamerging",
                                    "AdaMerging",
                                    "https://arxiv.org/abs/2310.02575",
                                    "task-wise and layer-wise",
                                    "θ₀ + Σ λ_t τ_t (task level), per layer or per tensor, λ learnt"
                                            + " to make the merged model's answers sure",
                                    values ->
                                            new AdaMerging(
                                                    DESCENT.of(values),
                                                    values.get(INIT),
                                                    values.get(CLAMP)))
                            .option(INIT, AdaMerging::init)
                            .option(CLAMP, AdaMerging::clamp));

    public AdaMerging {
        INIT.require(init);
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
}
