package dev.tributary.merging.method;

import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// TIES (arXiv 2306.01708, algorithm 1): of each task vector only the largest entries are kept,
/// every entry of the merge takes the sign with the larger total mass, and the mean is taken over
/// those who agree.
///
/// As in mergekit a sum of exactly zero elects plus, and the mean is weighted. Exactly
/// `floor(density * n)` entries are kept, also where many have the magnitude at the cut.
///
/// @param density how much of a task vector is kept, as a share of its entries; an expert may state
///   its own
/// @param lambda scale of the merged task vector
/// @param trim where the largest entries are looked for
/// @param normalize divide by the weights of those who agree (the paper); without it their sum
public record Ties(Setting density, Setting lambda, TrimScope trim, boolean normalize)
        implements MergeMethod {
    /// Why `int8_mask` changes nothing.
    static final String NO_MASK =
            "int8_mask chooses how mergekit stores a mask; no mask is stored here and no value"
                    + " depends on it";

    private static final Bound SHARE = Bound.above("density", 0, 1);
    private static final Option<Setting> DENSITY =
            Option.number("density", SHARE, 0.2, "share of a task vector's entries that is kept")
                    .perExpert()
                    .inRecipes(Setting.ONE);
    private static final Option<Setting> LAMBDA =
            Option.number(
                    "lambda", Bound.anyNumber("lambda"), 1, "scale of the merged task vector");
    private static final Option<TrimScope> TRIM =
            Option.choice(
                            "trim",
                            TrimScope.class,
                            TrimScope::id,
                            TrimScope.GLOBAL,
                            "where the largest entries are looked for: the paper over the whole"
                                    + " vector, mergekit per tensor")
                    .inRecipes(TrimScope.PER_TENSOR);
    private static final Option<Boolean> NORMALIZE =
            Option.flag(
                    "normalize",
                    true,
                    "divide by the weights of those who agree; false gives their sum, which some"
                            + " papers use with λ = 0.3");

    static final MethodEntry<Ties> ENTRY =
            new MethodEntry<>(
                            Ties.class,
                            "ties",
                            "TIES",
                            "https://arxiv.org/abs/2306.01708",
                            "algorithm 1",
                            "θ₀ + λ · (trim each τ_t to its largest entries, elect a sign per entry"
                                    + " by mass, mean over those who agree)",
                            values ->
                                    new Ties(
                                            values.get(DENSITY),
                                            values.get(LAMBDA),
                                            values.get(TRIM),
                                            values.get(NORMALIZE)))
                    .weighted()
                    .elementwise()
                    .option(DENSITY, Ties::density)
                    .scale(LAMBDA, Ties::lambda)
                    .option(TRIM, Ties::trim)
                    .option(NORMALIZE, Ties::normalize)
                    .fixed("rescale", "false")
                    .withoutEffect("int8_mask", NO_MASK);

    public Ties {
        density.values().forEach(SHARE::require);
        lambda.values().forEach(Bound.anyNumber("lambda")::require);
    }

    /// The same density and scale for all tensors.
    public Ties(double density, double lambda, TrimScope trim) {
        this(Setting.of(density), Setting.of(lambda), trim, true);
    }

    @Override
    public MethodEntry<Ties> entry() {
        return ENTRY;
    }

    @Override
    public List<Fault> faults(MergeInputs inputs) {
        if (trim == TrimScope.PER_TENSOR) {
            return List.of();
        }
        for (int e = 0; e < inputs.tasks().size(); e++) {
            int expert = e;
            long densities =
                    inputs.tensors().stream()
                            .mapToDouble(t -> t.value(expert, DENSITY, density))
                            .distinct()
                            .count();
            if (densities > 1) {
                return List.of(
                        new Fault(
                                FailureCode.BAD_OPTION,
                                "density",
                                "differs between tensors, expected one for all with trim global, or"
                                        + " trim per_tensor"));
            }
        }
        return List.of();
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        Workers workers = inputs.workers();
        if (trim == TrimScope.GLOBAL) {
            List<Map<String, TrimCut>> cuts =
                    TrimCut.of(
                            workers,
                            inputs.tensors(),
                            wanted(inputs.tensors(), inputs.tasks().size()));
            return tensor ->
                    sum(
                            tensor,
                            cuts.stream()
                                    .map(c -> c.getOrDefault(tensor.name(), TrimCut.ALL))
                                    .toList());
        }
        return tensor ->
                sum(
                        tensor,
                        TrimCut.of(
                                workers, tensor, wanted(List.of(tensor), tensor.experts().size())));
    }

    private List<TrimCut.Wanted> wanted(List<MergeTensor> tensors, int experts) {
        long entries = tensors.stream().mapToLong(MergeTensor::elements).sum();
        List<TrimCut.Wanted> wanted = new ArrayList<>();
        for (int e = 0; e < experts; e++) {
            double share = tensors.isEmpty() ? 1 : tensors.getFirst().value(e, DENSITY, density);
            wanted.add(new TrimCut.Wanted(e, (long) (share * entries)));
        }
        return wanted;
    }

    private SparseSum sum(MergeTensor tensor, List<TrimCut> cuts) {
        Thinning[] thinnings = cuts.stream().map(Ties::keeping).toArray(Thinning[]::new);
        return new SparseSum(tensor, () -> thinnings, true, normalize, tensor.value(lambda));
    }

    private static Thinning keeping(TrimCut cut) {
        return cut.equals(TrimCut.ALL) ? Thinning.NONE : cut::keepLargest;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        boolean trims =
                tensors.stream()
                        .anyMatch(t -> {
                            for (int e = 0; e < t.experts().size(); e++) {
                                if (t.value(e, DENSITY, density) < 1) {
                                    return true;
                                }
                            }
                            return false;
                        });
        long histograms = TrimCut.peakBytes();
        return MergeCost.passes(tensors, trims ? 2 : 1, trims ? 2 : 1).holding(histograms);
    }
}
