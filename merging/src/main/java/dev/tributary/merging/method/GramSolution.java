package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// The task vector of a linear layer whose outputs are nearest, in the least squares, to those of
/// every expert on its own inputs: `(sum_t tau_t G_t) (sum_t G_t)^-1`, with `G_t` the Gram matrix
/// of expert `t`'s inputs (arXiv 2212.09849; arXiv 2505.23859, equation 9).
///
/// Solved for the task vector and not for the weight: where the inputs say nothing the base is left
/// as it is, while a weight solved for would be erased there.
///
/// @param shrink what entries off the diagonals are multiplied by
/// @param ridge what is added to the diagonal of the sum, as a share of its mean; 0 takes the
///   pseudo-inverse where the sum has no inverse
/// @param perToken whether each Gram matrix is divided by its number of tokens
record GramSolution(double shrink, double ridge, boolean perToken) {
    private static final int GREATEST_RIDGES = 12;

    /// Whether every expert has a Gram matrix for a tensor.
    static boolean covers(MergeTensor tensor, Statistics statistics) {
        for (int e = 0; e < tensor.experts().size(); e++) {
            if (statistics.of(Statistic.INPUT_GRAM, e, tensor).isEmpty()) {
                return false;
            }
        }
        return !tensor.experts().isEmpty();
    }

    /// Merges a tensor.
    TensorMerge of(MergeTensor tensor, double scale, Statistics statistics, Workers workers) {
        return MatrixMerge.of(
                tensor,
                scale,
                workers,
                (taskVectors, work) -> solve(taskVectors, grams(tensor, statistics), work));
    }

    private record Gram(MemorySegment values, double factor) {}

    private List<Gram> grams(MergeTensor tensor, Statistics statistics) {
        List<Gram> grams = new ArrayList<>();
        for (int e = 0; e < tensor.experts().size(); e++) {
            long tokens = statistics.count(Statistic.INPUT_GRAM, e, tensor);
            Optional<MemorySegment> values = statistics.of(Statistic.INPUT_GRAM, e, tensor);
            grams.add(new Gram(values.orElseThrow(), perToken ? 1.0 / Math.max(1, tokens) : 1));
        }
        return grams;
    }

    private Matrix solve(List<Matrix> taskVectors, List<Gram> grams, Arena work) {
        int width = taskVectors.getFirst().columns();
        Matrix all = Matrix.zeros(work, width, width);
        Matrix right = Matrix.zeros(work, taskVectors.getFirst().rows(), width);
        for (int e = 0; e < grams.size(); e++) {
            try (Arena one = Arena.ofConfined()) {
                Matrix gram = Matrix.ofFloats(one, width, width, grams.get(e).values());
                shrinkAndScale(gram, grams.get(e).factor());
                all.add(1, gram);
                LinearAlgebra.multiplyAdd(1, taskVectors.get(e), false, gram, false, right);
            }
        }
        return solve(all, right, work);
    }

    private void shrinkAndScale(Matrix gram, double factor) {
        for (int row = 0; row < gram.rows(); row++) {
            for (int column = 0; column < gram.columns(); column++) {
                double share = row == column ? factor : factor * shrink;
                gram.set(row, column, gram.get(row, column) * share);
            }
        }
    }

    /// Solves `x all = right`, with a larger ridge where one was too small for the rounding of the
    /// inputs.
    private Matrix solve(Matrix all, Matrix right, Arena work) {
        double mean = all.trace() / all.rows();
        if (!(mean > 0)) {
            return Matrix.zeros(work, right.rows(), right.columns());
        }
        double share = ridge;
        for (int attempt = 0; attempt < GREATEST_RIDGES; attempt++) {
            Matrix solution = right.copy(work);
            try (Arena one = Arena.ofConfined()) {
                Matrix ridged = all.copy(one);
                for (int i = 0; i < ridged.rows(); i++) {
                    ridged.set(i, i, ridged.get(i, i) + share * mean);
                }
                if (LinearAlgebra.solveRight(ridged, solution)) {
                    return solution;
                }
            }
            if (ridge == 0) {
                return pseudoSolution(all, right, work);
            }
            share *= 10;
        }
        throw new IllegalStateException("a Gram matrix is not positive, however large the ridge");
    }

    private static Matrix pseudoSolution(Matrix all, Matrix right, Arena work) {
        LinearAlgebra.Svd svd = LinearAlgebra.svd(work, all.copy(work));
        Matrix turned = LinearAlgebra.multiply(work, right, false, svd.v(), false);
        double[] inverse = svd.values();
        for (int i = 0; i < inverse.length; i++) {
            inverse[i] = 1 / inverse[i];
        }
        turned.scaleColumns(inverse);
        return LinearAlgebra.multiply(work, turned, false, svd.u(), true);
    }

    /// What gathering and solving cost.
    static MergeCost cost(List<MergeTensor> tensors, int items) {
        MergeCost run = PassCost.forward(tensors, items);
        long sums = 0;
        long largest = 0;
        double operations = run.operations();
        for (MergeTensor tensor : tensors) {
            if (tensor.linear()) {
                long gram = tensor.columns() * tensor.columns();
                sums += gram;
                largest = Math.max(largest, 4 * gram + 3 * tensor.elements());
                operations +=
                        (double) tensor.experts().size() * 2 * tensor.elements() * tensor.columns()
                                + gram * (double) tensor.columns();
            }
        }
        long solving = largest * Double.BYTES;
        return MergeCost.passes(tensors, 1, 1)
                .holding(Math.max(solving, sums * Double.BYTES + run.peakBytes()))
                .computing(operations);
    }
}
