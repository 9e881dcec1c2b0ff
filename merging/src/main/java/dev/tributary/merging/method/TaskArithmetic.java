package dev.tributary.merging.method;

import java.util.Arrays;

/// The base plus a multiple of the sum of the task vectors, `theta_0 + lambda sum_t w_t tau_t`
/// (arXiv 2212.04089).
///
/// @param lambda one scale for the whole sum; 0.3 is the usual choice for eight tasks
/// @param normalize divide the sum by the sum of the experts' weights, as mergekit can
public record TaskArithmetic(Setting lambda, boolean normalize) implements MergeMethod {
    static final Option<Setting> LAMBDA =
            Option.number(
                            "lambda",
                            Bound.anyNumber("lambda"),
                            0.3,
                            "scale of the sum of task vectors; 0.3 is usual for eight tasks, good"
                                    + " values fall as n grows")
                    .inRecipes(Setting.ONE);
    private static final Option<Boolean> NORMALIZE =
            Option.flag("normalize", false, "divide by the sum of the weights");

    static final MethodEntry<TaskArithmetic> ENTRY =
            new MethodEntry<>(
                            TaskArithmetic.class,
                            "task_arithmetic",
                            "task arithmetic",
                            "https://arxiv.org/abs/2212.04089",
                            "addition",
                            "θ₀ + λ Σ w_t τ_t",
                            values -> new TaskArithmetic(values.get(LAMBDA), values.get(NORMALIZE)))
                    .weighted()
                    .elementwise()
                    .scale(LAMBDA, TaskArithmetic::lambda)
                    .option(NORMALIZE, TaskArithmetic::normalize)
                    .fixed("rescale", "false")
                    .withoutEffect("int8_mask", Ties.NO_MASK);

    public TaskArithmetic {
        lambda.values().forEach(Bound.anyNumber("lambda")::require);
    }

    /// One scale for all tensors.
    public TaskArithmetic(double lambda) {
        this(Setting.of(lambda), false);
    }

    @Override
    public MethodEntry<TaskArithmetic> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor -> {
            double[] weights = tensor.weights();
            double sum = Arrays.stream(weights).sum();
            double scale =
                    tensor.value(lambda)
                            / (normalize && Math.abs(sum) >= SparseSum.NO_DIVISOR ? sum : 1.0);
            return LinearCombination.ofTaskVectors(
                    tensor, Arrays.stream(weights).map(w -> w * scale).toArray());
        };
    }
}
