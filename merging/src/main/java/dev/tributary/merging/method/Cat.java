package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/// CAT Merging: trims from each task vector what moves other tasks' features much and its own
/// little, then adds up (arXiv 2505.06977).
///
/// For a linear layer and task `k` these are the directions of the output along the eigenvectors of
/// the largest, positive eigenvalues of `sum_(i != k) tau_i (G_k - balance G_i) tau_i^T`, with `G`
/// the Gram matrix of a task's inputs to the layer in its own expert. They are projected out of
/// every other task's vector, one task after the other in the order of their names. Of norms'
/// scales and of shifts and biases the entries of the largest scores are set to zero. The matrices
/// are never formed where the inputs are few or the outputs many.
///
/// @param lambda scale of the sum
/// @param basis how many directions or entries a task has trimmed from the others
/// @param balance how much a task's own features count against the others'
/// @param rescale give a trimmed task vector its norm back, as the official code does and the paper
///   does not
/// @param calibrationItems at most so many inputs of each task
public record Cat(Setting lambda, int basis, double balance, boolean rescale, int calibrationItems)
        implements MergeMethod {
    private static final Option<Setting> LAMBDA =
            Option.number(
                    "lambda",
                    Bound.anyNumber("lambda"),
                    0.4,
                    "scale of the sum; the official" + " code's, tuned in the paper");
    private static final Option<Integer> BASIS =
            Option.whole(
                    Bound.from("basis", 0, 1024),
                    2,
                    "how many directions, or entries of norms and biases, of the others a task has"
                            + " trimmed");
    private static final Option<Double> BALANCE =
            Option.real(
                    Bound.from("balance", 0, Double.POSITIVE_INFINITY),
                    5,
                    "how much a task's own features count against the others'; the paper finds any"
                            + " value above 0 stable");
    private static final Option<Boolean> RESCALE =
            Option.flag(
                    "rescale",
                    false,
                    "give a trimmed task vector its norm back, as the official code does");
    private static final Option<Integer> CALIBRATION_ITEMS =
            Option.whole(
                    Bound.from("calibration_items", 1, 10_000),
                    3,
                    "at most so many inputs of each task; the paper takes 2 or 3");

    /// Below this share of the output's width the factors are cheaper than the matrix.
    private static final int FEW = 4;

    /// Outputs of a layer above which the matrix would be huge: its eigenvectors are found by its
    /// products with vectors.
    static final int WIDE = 4096;

    /// Rows of a symmetric matrix that are computed at a time, without what mirrors others.
    private static final int BLOCK = 256;

    static final MethodEntry<Cat> ENTRY =
            new MethodEntry<>(
                            Cat.class,
                            "cat",
                            "CAT Merging",
                            "https://arxiv.org/abs/2505.06977",
                            "its trimming of weights, scales and shifts",
                            "θ₀ + λ Σ τ_t after trimming, from each τ_t, directions in which it"
                                    + " moves other tasks' features",
                            values ->
                                    new Cat(
                                            values.get(LAMBDA),
                                            values.get(BASIS),
                                            values.get(BALANCE),
                                            values.get(RESCALE),
                                            values.get(CALIBRATION_ITEMS)))
                    .scale(LAMBDA, Cat::lambda)
                    .option(BASIS, Cat::basis)
                    .option(BALANCE, Cat::balance)
                    .option(RESCALE, Cat::rescale)
                    .option(CALIBRATION_ITEMS, Cat::calibrationItems);

    public Cat {
        LAMBDA.require(lambda);
        BASIS.require(basis);
        BALANCE.require(balance);
        CALIBRATION_ITEMS.require(calibrationItems);
    }

    @Override
    public MethodEntry<Cat> entry() {
        return ENTRY;
    }

    @Override
    public Needs needs() {
        return Needs.CALIBRATION;
    }

    @Override
    public Set<Statistic> statistics() {
        return Set.of(Statistic.INPUT_ROWS, Statistic.INPUT_SQUARES);
    }

    @Override
    public MergeArithmetic arithmetic(MergeInputs inputs) {
        Workers workers = inputs.workers();
        return tensor -> {
            double scale = tensor.value(lambda);
            List<MemorySegment> rows = all(inputs, Statistic.INPUT_ROWS, tensor);
            if (!rows.isEmpty()) {
                return MatrixMerge.of(
                        tensor, scale, workers, (own, work) -> linear(own, rows, workers, work));
            }
            if (tensor.shape().size() == 1) {
                List<MemorySegment> squares = all(inputs, Statistic.INPUT_SQUARES, tensor);
                return MatrixMerge.of(
                        tensor, scale, workers, (own, work) -> entries(own, squares, work));
            }
            double[] coefficients = new double[inputs.tasks().size()];
            Arrays.fill(coefficients, scale);
            return LinearCombination.ofTaskVectors(tensor, coefficients);
        };
    }

    /// One statistic of every expert, or of none.
    private static List<MemorySegment> all(
            MergeInputs inputs, Statistic statistic, MergeTensor tensor) {
        List<MemorySegment> found = new ArrayList<>();
        for (int e = 0; e < inputs.tasks().size(); e++) {
            Optional<MemorySegment> one = inputs.statistics().of(statistic, e, tensor);
            one.ifPresent(found::add);
        }
        return found.size() == inputs.tasks().size() ? found : List.of();
    }

    private Matrix linear(List<Matrix> own, List<MemorySegment> rows, Workers workers, Arena work) {
        int width = own.getFirst().columns();
        List<Seen> inputs = workers.map(rows.size(), k -> Seen.of(rows.get(k), width, work));
        List<Matrix> bases = conflicting(own, inputs, workers, work);
        workers.each(own.size(), i -> project(own.get(i), bases, i));
        return sum(own, work);
    }

    /// What a layer has seen of one task: its inputs row by row or, where there are more of them
    /// than the layer is wide, their Gram matrix, which says all that is needed.
    ///
    /// @param matrix rows, or `X^T X`
    record Seen(Matrix matrix, boolean gram) {

        private static Seen of(MemorySegment values, int width, Arena work) {
            int tokens = Math.toIntExact(values.byteSize() / Float.BYTES / width);
            if (tokens <= width) {
                return new Seen(Matrix.ofFloats(work, tokens, width, values), false);
            }
            try (Arena one = Arena.ofConfined()) {
                Matrix rows = Matrix.ofFloats(one, tokens, width, values);
                return new Seen(LinearAlgebra.multiply(work, rows, true, rows, false), true);
            }
        }

        /// `T X^T X` or, where the inputs are there themselves, `T X^T`: some rows of it.
        private Matrix moved(Arena arena, Matrix own, int from, int count) {
            return LinearAlgebra.multiply(arena, own.rows(from, count), false, matrix, !gram);
        }

        /// `target += weight v X^T X` for vectors `v`, which are rows.
        private void addProduct(double weight, Matrix vectors, Matrix target) {
            if (gram) {
                LinearAlgebra.multiplyAdd(weight, vectors, false, matrix, false, target);
            } else if (matrix.rows() > 0) {
                try (Arena one = Arena.ofConfined()) {
                    Matrix along = LinearAlgebra.multiply(one, vectors, false, matrix, true);
                    LinearAlgebra.multiplyAdd(weight, along, false, matrix, false, target);
                }
            }
        }

        /// Adds some rows of `weight T X^T X T^T`, right of the diagonal.
        ///
        /// @param moved all of [#moved]
        private void addTo(
                Matrix conflict, double weight, Matrix own, Matrix moved, int from, int count) {
            LinearAlgebra.multiplyAddRightOfDiagonal(
                    weight, moved.rows(from, count), gram ? own : moved, from, conflict);
        }
    }

    /// Whether the factors of all conflicts are so few that their matrices need not be formed.
    private static boolean few(List<Matrix> own, List<Seen> inputs) {
        int most = inputs.stream().mapToInt(seen -> seen.matrix().rows()).max().orElse(0);
        int rank = 2 * (own.size() - 1) * most;
        return FEW * rank < own.getFirst().rows() && inputs.stream().noneMatch(Seen::gram);
    }

    /// `sum_i tau_i G_i tau_i^T` over all tasks, right of the diagonal.
    private static Matrix all(List<Matrix> own, List<Seen> inputs, Workers workers, Arena work) {
        int size = own.getFirst().rows();
        Matrix all = Matrix.zeros(work, size, size);
        for (int i = 0; i < own.size(); i++) {
            Seen seen = inputs.get(i);
            Matrix vector = own.get(i);
            try (Arena one = Arena.ofShared()) {
                Matrix moved =
                        Matrix.zeros(
                                one, size, seen.gram() ? vector.columns() : seen.matrix().rows());
                eachBlock(
                        size,
                        workers,
                        (from, count) -> {
                            try (Arena rows = Arena.ofConfined()) {
                                moved.rows(from, count)
                                        .values()
                                        .copyFrom(seen.moved(rows, vector, from, count).values());
                            }
                        });
                eachBlock(
                        size,
                        workers,
                        (from, count) -> seen.addTo(all, 1, vector, moved, from, count));
            }
        }
        return all;
    }

    private interface RowBlock {
        void take(int from, int count);
    }

    private static void eachBlock(int size, Workers workers, RowBlock work) {
        workers.each(
                Math.ceilDiv(size, BLOCK),
                block -> work.take(block * BLOCK, Math.min(BLOCK, size - block * BLOCK)));
    }

    /// For each task orthonormal directions of the output along which the others' task vectors harm
    /// it.
    List<Matrix> conflicting(List<Matrix> own, List<Seen> inputs, Workers workers, Arena work) {
        if (few(own, inputs)) {
            return workers.map(own.size(), k -> ofFactors(own, inputs, k, work));
        }
        if (own.getFirst().rows() > WIDE) {
            return workers.map(own.size(), k -> ofProducts(own, inputs, k, work));
        }
        try (Arena shared = Arena.ofShared()) {
            Matrix all = all(own, inputs, workers, shared);
            return workers.map(own.size(), k -> ofMatrix(own, inputs, all, k, work));
        }
    }

    /// The sum over the others of `tau_i (G_k - balance G_i) tau_i^T`, of which the second part is
    /// what all have, less the task's own.
    private Matrix ofMatrix(List<Matrix> own, List<Seen> inputs, Matrix all, int k, Arena work) {
        int size = own.get(k).rows();
        try (Arena arena = Arena.ofConfined()) {
            Matrix conflict = all.copy(arena);
            conflict.scale(-balance);
            for (int i = 0; i < own.size(); i++) {
                try (Arena one = Arena.ofConfined()) {
                    Matrix moved = inputs.get(k).moved(one, own.get(i), 0, size);
                    for (int from = 0; from < size; from += BLOCK) {
                        inputs.get(k)
                                .addTo(
                                        conflict,
                                        i == k ? balance : 1,
                                        own.get(i),
                                        moved,
                                        from,
                                        Math.min(BLOCK, size - from));
                    }
                }
            }
            return positive(conflict, arena).copy(work);
        }
    }

    /// The same by products with vectors.
    Matrix ofProducts(List<Matrix> own, List<Seen> inputs, int k, Arena work) {
        try (Arena arena = Arena.ofConfined()) {
            return BlockLanczos.positive(
                            own.get(k).rows(),
                            basis,
                            (vectors, target) -> {
                                for (int i = 0; i < own.size(); i++) {
                                    if (i != k) {
                                        addProduct(own.get(i), inputs, k, i, vectors, target);
                                    }
                                }
                            },
                            arena)
                    .copy(work);
        }
    }

    /// `target += v tau_i (G_k - balance G_i) tau_i^T` for vectors `v`, which are rows.
    private void addProduct(
            Matrix own, List<Seen> inputs, int k, int i, Matrix vectors, Matrix target) {
        try (Arena one = Arena.ofConfined()) {
            Matrix through = LinearAlgebra.multiply(one, vectors, false, own, false);
            Matrix weighed = Matrix.zeros(one, through.rows(), through.columns());
            inputs.get(k).addProduct(1, through, weighed);
            inputs.get(i).addProduct(-balance, through, weighed);
            LinearAlgebra.multiplyAdd(1, weighed, false, own, true, target);
        }
    }

    private Matrix ofFactors(List<Matrix> own, List<Seen> inputs, int k, Arena work) {
        try (Arena arena = Arena.ofConfined()) {
            return factored(own, inputs, k, arena).copy(work);
        }
    }

    private Matrix factored(List<Matrix> own, List<Seen> inputs, int k, Arena arena) {
        List<Matrix> factors = new ArrayList<>();
        List<Double> signs = new ArrayList<>();
        for (int i = 0; i < own.size(); i++) {
            if (i != k) {
                for (int seen : new int[] {k, i}) {
                    Matrix rows = inputs.get(seen).matrix();
                    factors.add(LinearAlgebra.multiply(arena, own.get(i), false, rows, true));
                    signs.add(seen == k ? 1.0 : -balance);
                }
            }
        }
        int rank = factors.stream().mapToInt(Matrix::columns).sum();
        return decomposed(factors, signs, rank, arena);
    }

    /// The same through `Z = [factors] = U S V^T`: the eigenvectors of `Z D Z^T` are `U` times
    /// those of the small `S V^T D V S`.
    private Matrix decomposed(List<Matrix> factors, List<Double> signs, int rank, Arena arena) {
        if (rank == 0) {
            return Matrix.zeros(arena, factors.isEmpty() ? 0 : factors.getFirst().rows(), 0);
        }
        Matrix joined = Matrix.zeros(arena, factors.getFirst().rows(), rank);
        double[] diagonal = new double[rank];
        int at = 0;
        for (int f = 0; f < factors.size(); f++) {
            int columns = factors.get(f).columns();
            joined.copyColumns(factors.get(f), columns, at);
            Arrays.fill(diagonal, at, at + columns, signs.get(f));
            at += columns;
        }
        LinearAlgebra.Svd svd = LinearAlgebra.svd(arena, joined);
        if (svd.rank() == 0) {
            return Matrix.zeros(arena, joined.rows(), 0);
        }
        Matrix right = svd.v().copy(arena);
        right.scaleColumns(svd.values());
        Matrix signed = right.copy(arena);
        for (int row = 0; row < signed.rows(); row++) {
            for (int column = 0; column < signed.columns(); column++) {
                signed.set(row, column, signed.get(row, column) * diagonal[row]);
            }
        }
        Matrix small = LinearAlgebra.multiply(arena, right, true, signed, false);
        return LinearAlgebra.multiply(arena, svd.u(), false, positive(small, arena), false);
    }

    /// The eigenvectors of the largest eigenvalues, as far as these are positive: trimming along
    /// any other would cost more than it gains.
    private Matrix positive(Matrix symmetric, Arena arena) {
        int count = Math.min(basis, symmetric.rows());
        if (count == 0) {
            return Matrix.zeros(arena, symmetric.rows(), 0);
        }
        double size = Math.sqrt(symmetric.squaredNorm());
        LinearAlgebra.Eigen eigen = LinearAlgebra.largestEigenvalues(arena, symmetric, count);
        int positive = (int) Arrays.stream(eigen.values()).filter(v -> v > 1e-12 * size).count();
        return eigen.vectors().firstColumns(arena, positive);
    }

    private void project(Matrix own, List<Matrix> bases, int i) {
        for (int k = 0; k < bases.size(); k++) {
            if (k != i && bases.get(k).columns() > 0) {
                double before = own.squaredNorm();
                try (Arena one = Arena.ofConfined()) {
                    Matrix parts = LinearAlgebra.multiply(one, bases.get(k), true, own, false);
                    LinearAlgebra.multiplyAdd(-1, bases.get(k), false, parts, false, own);
                }
                restore(own, before);
            }
        }
    }

    private void restore(Matrix own, double squaredNormBefore) {
        double after = own.squaredNorm();
        if (rescale && after > 0) {
            own.scale(Math.sqrt(squaredNormBefore / after));
        }
    }

    /// Scales, shifts and biases: sets the entries of the largest scores to zero.
    ///
    /// @param squares of the normalised inputs, for scales; empty for shifts and biases
    private Matrix entries(List<Matrix> own, List<MemorySegment> squares, Arena work) {
        List<int[]> trimmed =
                IntStream.range(0, own.size()).mapToObj(k -> worst(own, squares, k)).toList();
        for (int i = 0; i < own.size(); i++) {
            double before = own.get(i).squaredNorm();
            for (int k = 0; k < own.size(); k++) {
                if (k != i) {
                    for (int d : trimmed.get(k)) {
                        own.get(i).put(d, 0);
                    }
                }
            }
            if (!squares.isEmpty()) {
                restore(own.get(i), before);
            }
        }
        return sum(own, work);
    }

    private int[] worst(List<Matrix> own, List<MemorySegment> squares, int k) {
        int size = own.getFirst().columns();
        double[] scores = new double[size];
        for (int i = 0; i < own.size(); i++) {
            for (int d = 0; d < size && i != k; d++) {
                double square = own.get(i).at(d) * own.get(i).at(d);
                scores[d] +=
                        squares.isEmpty()
                                ? square
                                : square
                                        * (TileLoops.get(squares.get(k), d)
                                                - balance * TileLoops.get(squares.get(i), d));
            }
        }
        return IntStream.range(0, size)
                .boxed()
                .filter(d -> scores[d] > 0)
                .sorted((a, b) -> Double.compare(scores[b], scores[a]))
                .limit(basis)
                .mapToInt(Integer::intValue)
                .toArray();
    }

    private static Matrix sum(List<Matrix> own, Arena work) {
        Matrix sum = own.getFirst().copy(work);
        own.stream().skip(1).forEach(one -> sum.add(1, one));
        return sum;
    }

    @Override
    public MergeCost cost(List<MergeTensor> tensors) {
        MergeCost run = PassCost.forward(tensors, calibrationItems);
        long largest = 0;
        double operations = run.operations();
        int experts = MatrixMerge.experts(tensors);
        for (MergeTensor tensor : tensors) {
            if (tensor.linear()) {
                long rows = tensor.shape().getFirst();
                boolean wide = rows > WIDE;
                long columns = wide ? BlockLanczos.mostVectors(basis) : rows;
                long together = (wide ? 0L : 2L) + Math.min(Workers.available(), experts);
                largest =
                        Math.max(
                                largest,
                                together * rows * columns + (2L * experts + 1) * tensor.elements());
                operations +=
                        wide
                                ? 4.0 * experts * experts * columns * tensor.elements()
                                : experts * 4.0 * rows * rows * rows;
            }
        }
        return MergeCost.passes(tensors, 1, 1)
                .holding(Math.max(run.peakBytes(), largest * Double.BYTES))
                .computing(operations);
    }
}
