package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.util.List;

/// WUDI-Merging (arXiv 2503.08099): of each linear layer the matrix `M` that minimises `sum_i |(M -
/// tau_i) tau_i^T|^2 / |tau_i|^2`, the interference between tasks with a task vector as stand-in
/// for its inputs. Other tensors stay at the base, as in the authors' code, or take the mean of the
/// task vectors.
///
/// The problem is a convex quadratic: `closed_form` solves it exactly, with a ridge towards the sum
/// of the task vectors where they say nothing; `adam` takes the authors' 300 small steps from that
/// sum, which stop early.
///
/// @param solver how the minimum is found
/// @param ridge weight of the distance from the sum, as a share of the mean of the diagonal of `sum
///   tau_i^T tau_i / |tau_i|^2`
/// @param steps Adam's steps
/// @param learningRate Adam's step size
/// @param others what happens to tensors that are no linear maps
public record Wudi(Solver solver, double ridge, int steps, double learningRate, Others others)
        implements MergeMethod {

    /// How the minimum is found.
    public enum Solver {
        /// Exactly, by one Cholesky decomposition a tensor.
        CLOSED_FORM("closed_form"),
        /// By gradient steps, as published.
        ADAM("adam");

        private final String id;

        Solver(String id) {
            this.id = id;
        }

        /// The word used in options and lineage.
        public String id() {
            return id;
        }
    }

    /// What happens to tensors that are no linear maps.
    public enum Others {
        /// They stay at the base.
        BASE("base"),
        /// They take the mean of the task vectors.
        MEAN("mean");

        private final String id;

        Others(String id) {
            this.id = id;
        }

        /// The word used in options and lineage.
        public String id() {
            return id;
        }
    }

    private static final Option<Solver> SOLVER =
            Option.choice(
                    "solver",
                    Solver.class,
                    Solver::id,
                    Solver.CLOSED_FORM,
                    "solve the quadratic exactly, or take the paper's Adam steps");
    private static final Option<Double> RIDGE =
            Option.real(
                    Bound.above("ridge", 0, 1),
                    1e-3,
                    "closed_form: pull towards Σ τ_t, as a share of the mean diagonal");
    private static final Option<Integer> STEPS =
            Option.whole(Bound.from("steps", 0, 100_000), 300, "adam: steps; the paper's");
    private static final Option<Double> LEARNING_RATE =
            Option.real(
                    Bound.above("learning_rate", 0, 1),
                    1e-5,
                    "adam: step size; the paper has 1e-5 for vision, 2e-5 for RoBERTa");
    private static final Option<Others> OTHERS =
            Option.choice(
                    "others",
                    Others.class,
                    Others::id,
                    Others.BASE,
                    "biases, norms and embeddings: keep the base's, or add the mean of the τ_t");

    static final MethodEntry<Wudi> ENTRY =
            new MethodEntry<>(
                            Wudi.class,
                            "wudi",
                            "WUDI-Merging",
                            "https://arxiv.org/abs/2503.08099",
                            "its loss of one linear layer",
                            "θ₀ + argmin_M Σ ‖(M − τ_t) τ_tᵀ‖² / ‖τ_t‖²",
                            values ->
                                    new Wudi(
                                            values.get(SOLVER),
                                            values.get(RIDGE),
                                            values.get(STEPS),
                                            values.get(LEARNING_RATE),
                                            values.get(OTHERS)))
                    .option(SOLVER, Wudi::solver)
                    .option(RIDGE, Wudi::ridge)
                    .option(STEPS, Wudi::steps)
                    .option(LEARNING_RATE, Wudi::learningRate)
                    .option(OTHERS, Wudi::others);

    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    public Wudi {
        RIDGE.require(ridge);
        STEPS.require(steps);
        LEARNING_RATE.require(learningRate);
    }

    @Override
    public MethodEntry<Wudi> entry() {
        return ENTRY;
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        return tensor ->
                tensor.linear()
                        ? MatrixMerge.of(tensor, 1, inputs.workers(), this::merge)
                        : MatrixMerge.mean(tensor, others == Others.MEAN ? 1 : 0);
    }

    private Matrix merge(List<Matrix> taskVectors, Arena work) {
        int rows = taskVectors.getFirst().rows();
        int columns = taskVectors.getFirst().columns();
        Matrix sum = Matrix.zeros(work, rows, columns);
        Matrix gram = Matrix.zeros(work, columns, columns);
        Matrix wanted = Matrix.zeros(work, rows, columns);
        for (Matrix taskVector : taskVectors) {
            sum.add(1, taskVector);
            double square = taskVector.squaredNorm();
            if (square > 0) {
                Matrix own = LinearAlgebra.multiply(work, taskVector, true, taskVector, false);
                own.scale(1 / square);
                gram.add(1, own);
                LinearAlgebra.multiplyAdd(1, taskVector, false, own, false, wanted);
            }
        }
        return switch (solver) {
            case CLOSED_FORM -> solved(sum, gram, wanted);
            case ADAM -> descended(sum, gram, wanted, work);
        };
    }

    /// `M (sum A_i + e I) = sum tau_i A_i + e sum tau_i`, with a larger ridge where the matrix is
    /// not positive definite to rounding.
    private Matrix solved(Matrix sum, Matrix gram, Matrix wanted) {
        int n = gram.rows();
        double diagonal = 0;
        for (int i = 0; i < n; i++) {
            diagonal += gram.get(i, i) / n;
        }
        if (diagonal == 0) {
            return sum;
        }
        for (double share = ridge; ; share *= 10) {
            double pull = share * diagonal;
            try (Arena trial = Arena.ofShared()) {
                Matrix left = Matrix.zeros(trial, n, n);
                left.add(1, gram);
                for (int i = 0; i < n; i++) {
                    left.set(i, i, left.get(i, i) + pull);
                }
                Matrix right = Matrix.zeros(trial, sum.rows(), n);
                right.add(1, wanted);
                right.add(pull, sum);
                if (LinearAlgebra.solveRight(left, right)) {
                    wanted.scale(0);
                    wanted.add(1, right);
                    return wanted;
                }
            }
        }
    }

    private Matrix descended(Matrix start, Matrix gram, Matrix wanted, Arena work) {
        Matrix merged = start;
        Matrix first = Matrix.zeros(work, merged.rows(), merged.columns());
        Matrix second = Matrix.zeros(work, merged.rows(), merged.columns());
        Matrix gradient = Matrix.zeros(work, merged.rows(), merged.columns());
        for (int step = 1; step <= steps; step++) {
            gradient.scale(0);
            gradient.add(-2, wanted);
            LinearAlgebra.multiplyAdd(2, merged, false, gram, false, gradient);
            double rate = learningRate / (1 - Math.pow(BETA1, step));
            double correction = 1 - Math.pow(BETA2, step);
            for (long i = 0; i < merged.elements(); i++) {
                double slope = gradient.at(i);
                double mean = BETA1 * first.at(i) + (1 - BETA1) * slope;
                double square = BETA2 * second.at(i) + (1 - BETA2) * slope * slope;
                first.put(i, mean);
                second.put(i, square);
                merged.put(
                        i, merged.at(i) - rate * mean / (Math.sqrt(square / correction) + EPSILON));
            }
        }
        return merged;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        int experts = MatrixMerge.experts(tensors);
        long most = 0;
        double operations = 0;
        for (MergeTensor tensor : tensors) {
            if (tensor.linear()) {
                long square = tensor.columns() * tensor.columns();
                most = Math.max(most, (experts + 6) * tensor.elements() + (experts + 3) * square);
                operations +=
                        4.0 * (experts + 1) * tensor.elements() * tensor.columns()
                                + (solver == Solver.ADAM
                                        ? 2.0 * steps * tensor.elements() * tensor.columns()
                                        : (double) square * tensor.columns());
            }
        }
        return MergeCost.passes(tensors, 1, 1).holding(most * Double.BYTES).computing(operations);
    }
}
