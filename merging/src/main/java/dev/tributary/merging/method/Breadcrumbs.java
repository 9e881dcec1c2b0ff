package dev.tributary.merging.method;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/// Model Breadcrumbs (arXiv 2312.06795): of each task vector the largest entries, which may be
/// outliers, and the smallest, which may be noise, are dropped, tensor by tensor; then all are
/// added up (`breadcrumbs`) or merged by elected signs (`breadcrumbs_ties`).
///
/// As in mergekit a density of 1 drops nothing, outliers included.
///
/// @param elects whether signs are elected
/// @param density the share of entries that is kept; an expert may state its own
/// @param gamma the share of the largest entries that is dropped
/// @param lambda scale of the merged task vector
/// @param normalize divide by the weights of those added up
public record Breadcrumbs(
        boolean elects, Setting density, Setting gamma, Setting lambda, boolean normalize)
        implements MergeMethod {
    private static final String PAPER = "https://arxiv.org/abs/2312.06795";
    private static final Bound SHARE = Bound.above("density", 0, 1);
    private static final Bound OUTLIERS = Bound.from("gamma", 0, 1);
    private static final Option<Setting> DENSITY =
            Option.number("density", SHARE, 0.9, "share of a task vector's entries that is kept")
                    .perExpert()
                    .inRecipes(Setting.ONE);
    private static final Option<Setting> GAMMA =
            Option.number("gamma", OUTLIERS, 0.01, "share of the largest entries that is dropped")
                    .perExpert();
    private static final Option<Setting> LINEAR_LAMBDA =
            Option.number(
                            "lambda",
                            Bound.anyNumber("lambda"),
                            0.3,
                            "scale of the sum of task vectors; the paper's α")
                    .inRecipes(Setting.ONE);
    private static final Option<Setting> TIES_LAMBDA =
            Option.number(
                            "lambda",
                            Bound.anyNumber("lambda"),
                            0.3,
                            "scale of the merged task vector")
                    .inRecipes(Setting.ONE);
    private static final Option<Boolean> NORMALIZE =
            Option.flag("normalize", false, "divide by the weights of those added up");

    static final MethodEntry<Breadcrumbs> LINEAR =
            entry(
                    "breadcrumbs",
                    "Model Breadcrumbs",
                    "θ₀ + λ Σ w_t τ_t, each τ_t without its largest and smallest entries",
                    LINEAR_LAMBDA,
                    false);
    static final MethodEntry<Breadcrumbs> TIES =
            entry(
                    "breadcrumbs_ties",
                    "Model Breadcrumbs with elected signs",
                    "as TIES, over τ_t without its largest and smallest entries",
                    TIES_LAMBDA,
                    true);

    private static MethodEntry<Breadcrumbs> entry(
            String id, String title, String formula, Option<Setting> lambda, boolean elects) {
        Function<OptionValues, Breadcrumbs> build =
                values ->
                        new Breadcrumbs(
                                elects,
                                values.get(DENSITY),
                                values.get(GAMMA),
                                values.get(lambda),
                                values.get(NORMALIZE));
        return new MethodEntry<>(
                        Breadcrumbs.class, id, title, PAPER, "sparse masks", formula, build)
                .weighted()
                .elementwise()
                .option(DENSITY, Breadcrumbs::density)
                .option(GAMMA, Breadcrumbs::gamma)
                .scale(lambda, Breadcrumbs::lambda)
                .option(NORMALIZE, Breadcrumbs::normalize)
                .fixed("rescale", "false")
                .withoutEffect("int8_mask", Ties.NO_MASK);
    }

    public Breadcrumbs {
        density.values().forEach(SHARE::require);
        gamma.values().forEach(OUTLIERS::require);
        lambda.values().forEach(Bound.anyNumber("lambda")::require);
    }

    @Override
    public MethodEntry<Breadcrumbs> entry() {
        return elects ? TIES : LINEAR;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            int experts = tensor.experts().size();
            List<TrimCut.Wanted> wanted = new ArrayList<>();
            for (int e = 0; e < experts; e++) {
                long kept = (long) (tensor.value(e, DENSITY, density) * tensor.elements());
                long outliers = (long) (tensor.value(e, GAMMA, gamma) * tensor.elements());
                long large = Math.min(outliers, tensor.elements() - kept);
                wanted.add(new TrimCut.Wanted(e, large));
                wanted.add(new TrimCut.Wanted(e, large + kept));
            }
            List<TrimCut> cuts = TrimCut.of(inputs.workers(), tensor, wanted);
            Thinning[] thinnings = new Thinning[experts];
            for (int e = 0; e < experts; e++) {
                thinnings[e] =
                        tensor.value(e, DENSITY, density) >= 1
                                ? Thinning.NONE
                                : between(cuts.get(2 * e + 1), cuts.get(2 * e));
            }
            return new SparseSum(tensor, () -> thinnings, elects, normalize, tensor.value(lambda));
        };
    }

    private static Thinning between(TrimCut small, TrimCut large) {
        return (values, from, count) -> {
            small.keepLargest(values, from, count);
            large.dropLargest(values, from, count);
        };
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return MergeCost.passes(tensors, 2, 2).holding(TrimCut.peakBytes());
    }
}
