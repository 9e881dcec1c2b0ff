package dev.tributary.merging.method;

import java.util.Map;

/// DivMerge: the coefficients of the task vectors are learnt so that the merged model answers every
/// task's calibration inputs as that task's expert does (arXiv 2509.02108, equations 3 and 4). No
/// labels are used, and the coefficients are not constrained.
///
/// @param descent how they are learnt; the paper has a step of 0.01 that does not shrink, and 4
///   inputs of each task in a step
/// @param divergence how a difference between two answers is measured
/// @param solver how coefficients are moved
/// @param teacherTokens tokens of an expert's distribution over a vocabulary that are compared one
///   by one, all others as one; 0 for all
public record DivMerge(
        DescentSettings descent, Divergence divergence, Solver solver, int teacherTokens)
        implements LearnsCoefficients {
    private static final DescentOptions DESCENT =
            new DescentOptions(
                    new DescentSettings(
                            Granularity.LAYER, 0.2, Decay.COSINE, 4, 80, 0, 64, 40, 3, 0.01, 1, 17),
                    "Adam's step; the paper's 0.01 needs about five times the steps",
                    "inputs of each task in a step; the paper's",
                    "stops at the latest after so many steps");
    private static final Option<Divergence> DIVERGENCE =
            Option.choice(
                    "divergence",
                    Divergence.class,
                    Divergence::id,
                    Divergence.JS,
                    "Jensen–Shannon, or KL(expert ‖ merged); natural logarithm");

    private static final Option<Solver> SOLVER =
            Option.choice(
                    "solver",
                    Solver.class,
                    Solver::id,
                    Solver.ADAM,
                    "adam (the paper), or lbfgs: on 16 inputs of each task first and then on all,"
                            + " with granularity, max_steps, calibration_items, min_improvement"
                            + " and seed alone");

    private static final Option<Integer> TEACHER_TOKENS =
            Option.whole(
                    Bound.from("teacher_tokens", 0, 65_536),
                    0,
                    "where texts are generated: the expert's likeliest tokens that are compared one"
                            + " by one, all others as one; 0 for the whole vocabulary");

    static final MethodEntry<DivMerge> ENTRY =
            DESCENT.addTo(
                    new MethodEntry<>(
                                    DivMerge.class,
                                    "divmerge",
                                    "DivMerge",
                                    "https://arxiv.org/abs/2509.02108",
                                    "equations 3 and 4",
                                    "θ₀ + Σ Γ_t τ_t (task level), per layer θ₀ˡ + Σ Γ_tˡ τ_tˡ"
                                            + " (layer level) or per tensor, Γ learnt",
                                    values ->
                                            new DivMerge(
                                                    DESCENT.of(values),
                                                    values.get(DIVERGENCE),
                                                    values.get(SOLVER),
                                                    values.get(TEACHER_TOKENS)))
                            .option(DIVERGENCE, DivMerge::divergence)
                            .option(SOLVER, DivMerge::solver)
                            .option(TEACHER_TOKENS, DivMerge::teacherTokens));

    public DivMerge {
        TEACHER_TOKENS.require(teacherTokens);
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
}
