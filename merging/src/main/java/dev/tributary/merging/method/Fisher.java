package dev.tributary.merging.method;

import dev.tributary.tensors.Fault;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Fisher merging: a mean in which every parameter of an expert weighs as much as its answers
/// depend on it, `theta = sum_t w_t F_t theta_t / sum_t w_t F_t` (arXiv 2111.09832, with the
/// diagonal Fisher information).
///
/// `F_t` is the diagonal of the true Fisher information: squared gradients of each label's
/// log-likelihood, weighed by how likely the expert itself holds the label, one text at a time. The
/// square of a batch's gradient, which some programs take instead, is another quantity.
///
/// @param floor an entry weighs at least so much: where no expert's answers depend on it, the mean
/// @param normalize divide each expert's diagonal by its norm, so that no expert weighs more only
///   because it is less sure
/// @param calibrationItems at most so many inputs of each task
public record Fisher(double floor, boolean normalize, int calibrationItems) implements MergeMethod {
    private static final Option<Double> FLOOR =
            Option.real(
                    Bound.from("floor", 0, Double.POSITIVE_INFINITY),
                    1e-6,
                    "an entry weighs at least so much; the official code floors the first model's"
                            + " entries only");
    private static final Option<Boolean> NORMALIZE =
            Option.flag(
                    "normalize",
                    true,
                    "divide each expert's Fisher information by its norm, before the floor");
    private static final Option<Integer> CALIBRATION_ITEMS = Option.calibrationItems(256);
    private static final int TYPICAL_LABELS = 3;

    static final MethodEntry<Fisher> ENTRY =
            new MethodEntry<>(
                            Fisher.class,
                            "fisher",
                            "Fisher merging",
                            "https://arxiv.org/abs/2111.09832",
                            "its closed form",
                            "Σ w_t F_t θ_t / Σ w_t F_t, F_t the diagonal Fisher information",
                            values ->
                                    new Fisher(
                                            values.get(FLOOR),
                                            values.get(NORMALIZE),
                                            values.get(CALIBRATION_ITEMS)))
                    .weighted()
                    .option(FLOOR, Fisher::floor)
                    .option(NORMALIZE, Fisher::normalize)
                    .option(CALIBRATION_ITEMS, Fisher::calibrationItems);

    public Fisher {
        FLOOR.require(floor);
        CALIBRATION_ITEMS.require(calibrationItems);
    }

    @Override
    public MethodEntry<Fisher> entry() {
        return ENTRY;
    }

    @Override
    public Needs needs() {
        return Needs.CALIBRATION;
    }

    @Override
    public Set<Statistic> statistics() {
        return Set.of(Statistic.FISHER);
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        double[] norms = new double[inputs.tasks().size()];
        Arrays.fill(norms, 1);
        if (normalize) {
            List<Double> found = inputs.workers().map(norms.length, e -> norm(inputs, e));
            for (int e = 0; e < norms.length; e++) {
                norms[e] = found.get(e) == 0 ? 1 : found.get(e);
            }
        }
        return tensor -> {
            double[] weights = tensor.weights();
            List<MemorySegment> fishers = new ArrayList<>();
            for (int e = 0; e < weights.length; e++) {
                inputs.statistics().of(Statistic.FISHER, e, tensor).ifPresent(fishers::add);
            }
            return fishers.size() < weights.length
                    ? weighted(tensor, weights)
                    : new WeightedMean(tensor, fishers, weights, norms, floor, 1);
        };
    }

    /// The mean by weights, for a tensor that was not run.
    private static TensorMerge weighted(MergeTensor tensor, double[] weights) {
        double sum = Arrays.stream(weights).sum();
        return LinearCombination.ofTaskVectors(
                tensor, Arrays.stream(weights).map(w -> w / sum).toArray());
    }

    private static double norm(MergeInputs inputs, int expert) {
        double squares = 0;
        for (MergeTensor tensor : inputs.tensors()) {
            Optional<MemorySegment> fisher =
                    inputs.statistics().of(Statistic.FISHER, expert, tensor);
            if (fisher.isPresent()) {
                for (long i = 0; i < tensor.elements(); i++) {
                    double value = fisher.get().get(TileLoops.F32, i * Float.BYTES);
                    squares += value * value;
                }
            }
        }
        return Math.sqrt(squares);
    }

    @Override
    public List<Fault> faults(MergeInputs inputs) {
        return WeightSum.faults(inputs);
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        return PassCost.withGradients(tensors, calibrationItems, TYPICAL_LABELS);
    }
}
