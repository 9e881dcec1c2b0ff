package dev.tributary.merging.method;

import java.util.function.Function;

/// DARE (arXiv 2311.03099, equations 1 to 3): entries of each task vector are dropped at random and
/// the rest scaled up by what was dropped; then they are added up (`dare_linear`) or merged as in
/// TIES, by elected signs (`dare_ties`, as in mergekit without a further trim).
///
/// Which entries are dropped follows from the seed, the expert's task, the tensor's name and the
/// entry's index alone.
///
/// @param elects whether signs are elected
/// @param density the share of entries that is kept, the paper's `1 - p`; an expert may state its
///   own
/// @param lambda scale of the merged task vector
/// @param rescale divide what is kept by the density
/// @param normalize divide by the weights of those added up
/// @param seed of the masks
public record Dare(
        boolean elects,
        Setting density,
        Setting lambda,
        boolean rescale,
        boolean normalize,
        long seed)
        implements MergeMethod {
    private static final String PAPER = "https://arxiv.org/abs/2311.03099";
    private static final Bound SHARE = Bound.above("density", 0, 1);
    private static final Option<Setting> DENSITY =
            Option.number(
                            "density",
                            SHARE,
                            0.5,
                            "share of a task vector's entries that is kept, the paper's 1 − p")
                    .perExpert()
                    .inRecipes(Setting.ONE);
    private static final Option<Setting> LINEAR_LAMBDA =
            Option.number(
                            "lambda",
                            Bound.anyNumber("lambda"),
                            0.3,
                            "scale of the sum of task vectors")
                    .inRecipes(Setting.ONE);
    private static final Option<Setting> TIES_LAMBDA =
            Option.number(
                    "lambda", Bound.anyNumber("lambda"), 1, "scale of the merged task vector");
    private static final Option<Boolean> RESCALE =
            Option.flag("rescale", true, "divide what is kept by the density");
    private static final Option<Boolean> NORMALIZE =
            Option.flag("normalize", false, "divide by the weights of those added up");
    private static final Option<Long> SEED =
            Option.seed(0, "of the masks; the same seed, the same masks");

    static final MethodEntry<Dare> LINEAR =
            entry(
                    "dare_linear",
                    "DARE",
                    "θ₀ + λ Σ w_t m_t ⊙ τ_t / density, m_t random masks",
                    LINEAR_LAMBDA,
                    false);
    static final MethodEntry<Dare> TIES =
            entry(
                    "dare_ties",
                    "DARE-TIES",
                    "as TIES, over m_t ⊙ τ_t / density, m_t random masks",
                    TIES_LAMBDA,
                    true);

    private static MethodEntry<Dare> entry(
            String id, String title, String formula, Option<Setting> lambda, boolean elects) {
        Function<OptionValues, Dare> build =
                values ->
                        new Dare(
                                elects,
                                values.get(DENSITY),
                                values.get(lambda),
                                values.get(RESCALE),
                                values.get(NORMALIZE),
                                values.get(SEED));
        return new MethodEntry<>(Dare.class, id, title, PAPER, "equations 1 to 3", formula, build)
                .weighted()
                .elementwise()
                .option(DENSITY, Dare::density)
                .scale(lambda, Dare::lambda)
                .option(RESCALE, Dare::rescale)
                .option(NORMALIZE, Dare::normalize)
                .option(SEED, Dare::seed)
                .withoutEffect("int8_mask", Ties.NO_MASK);
    }

    public Dare {
        density.values().forEach(SHARE::require);
        lambda.values().forEach(Bound.anyNumber("lambda")::require);
    }

    @Override
    public MethodEntry<Dare> entry() {
        return elects ? TIES : LINEAR;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            Thinning[] masks = new Thinning[tensor.experts().size()];
            for (int e = 0; e < masks.length; e++) {
                masks[e] = mask(tensor, e);
            }
            return new SparseSum(tensor, () -> masks, elects, normalize, tensor.value(lambda));
        };
    }

    private Thinning mask(MergeTensor tensor, int expert) {
        double share = tensor.value(expert, DENSITY, density);
        if (share >= 1) {
            return Thinning.NONE;
        }
        long key = Draws.key(seed, tensor.experts().get(expert).task(), tensor.name());
        int threshold = Draws.threshold(share);
        float scale = rescale ? (float) (1 / share) : 1f;
        return (entries, from, count) ->
                TileLoops.thin(entries, key, from, threshold, scale, count);
    }
}
