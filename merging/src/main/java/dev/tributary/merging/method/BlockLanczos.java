package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/// The largest eigenvalues of a symmetric matrix and their eigenvectors, from its products with a
/// few vectors at a time: the matrix, which may be far larger than all it is made of, is never
/// formed. Block Lanczos with every vector made orthogonal to all before it (Golub and Van Loan,
/// Matrix Computations, 4th edition, section 10.3.6).
///
/// Vectors are rows here.
final class BlockLanczos {
    /// With so many vectors it stops and takes what it has, however well that is known.
    private static final int MOST_VECTORS = 600;

    /// Vectors for each that is wanted, at least.
    private static final int FOR_EACH = 4;

    /// Vectors that are multiplied together beside those that are wanted, so that eigenvalues that
    /// lie close together are told apart sooner.
    private static final int SPARE = 4;

    /// Blocks between two looks at what has been found.
    private static final int LOOK_EVERY = 4;

    /// What is left of an eigenvector's product beside the eigenvector, as a share of the matrix's
    /// size, below which it is one.
    private static final double TOLERANCE = 1e-9;

    /// The same where the eigenvalue is negative, so that its vector is not asked for.
    private static final double TOLERANCE_BELOW_ZERO = 1e-4;

    /// The length of a vector, as a share of what it was, that is only rounding.
    private static final double NO_LENGTH = 1e-10;

    private static final long SEED = 0x7472696275746172L;

    private final int size;
    private final int wanted;
    private final Product product;
    private final Arena arena;
    private final int most;
    private final Matrix basis;
    private final Matrix projected;
    private int vectors;
    private double scale;

    /// A symmetric matrix as what it does.
    @FunctionalInterface
    interface Product {
        /// Adds each vector's product with the matrix to a row of the target.
        void addTo(Matrix rows, Matrix target);
    }

    private BlockLanczos(int size, int wanted, Product product, Arena arena) {
        this.size = size;
        this.wanted = Math.min(wanted, size);
        this.product = product;
        this.arena = arena;
        this.most = Math.min(size, mostVectors(wanted));
        this.basis = Matrix.zeros(arena, most, size);
        this.projected = Matrix.zeros(arena, most, most);
    }

    /// How many vectors are held at most.
    static int mostVectors(int wanted) {
        return Math.max(MOST_VECTORS, FOR_EACH * wanted);
    }

    /// The eigenvectors of the largest eigenvalues, as columns, as far as these are positive.
    ///
    /// @param size rows of the matrix
    /// @param wanted at most so many
    /// @param arena where the result and all that is needed on the way is kept
    static Matrix positive(int size, int wanted, Product product, Arena arena) {
        return wanted < 1 || size < 1
                ? Matrix.zeros(arena, size, 0)
                : new BlockLanczos(size, wanted, product, arena).positive();
    }

    private Matrix positive() {
        int block = start();
        for (int blocks = 1; ; blocks++) {
            try (Arena one = Arena.ofConfined()) {
                int first = vectors - block;
                Matrix left = Matrix.zeros(one, block, size);
                product.addTo(basis.rows(first, block), left);
                scale = Math.max(scale, longest(left));
                project(left, first);
                int next = append(left);
                if (next == 0 || blocks % LOOK_EVERY == 0) {
                    Matrix found = found(first, block, left, next == 0);
                    if (found != null) {
                        return found;
                    }
                }
                block = next;
            }
        }
    }

    /// The first block: directions that favour nothing.
    private int start() {
        int block = Math.min(most, wanted + SPARE);
        SplittableRandom random = new SplittableRandom(SEED);
        Matrix rows = Matrix.zeros(arena, block, size);
        for (long i = 0; i < rows.elements(); i++) {
            rows.put(i, random.nextDouble() - 0.5);
        }
        scale = Math.sqrt(size);
        int started = append(rows);
        scale = 0;
        return started;
    }

    /// Takes from a block's products what lies along the vectors so far, and keeps how much it was:
    /// the matrix as seen by these vectors.
    private void project(Matrix products, int first) {
        Matrix known = basis.rows(0, vectors);
        for (int pass = 0; pass < 2; pass++) {
            try (Arena one = Arena.ofConfined()) {
                Matrix along = LinearAlgebra.multiply(one, products, false, known, true);
                LinearAlgebra.multiplyAdd(-1, along, false, known, false, products);
                for (int i = 0; i < along.rows(); i++) {
                    for (int j = 0; j < vectors; j++) {
                        double sum = projected.get(first + i, j) + along.get(i, j);
                        projected.set(first + i, j, sum);
                    }
                }
            }
        }
    }

    /// Makes rows orthonormal among themselves and adds them to the basis.
    ///
    /// @return how many of them are more than rounding, and found room
    private int append(Matrix rows) {
        int before = vectors;
        for (int i = 0; i < rows.rows() && vectors < most; i++) {
            try (Arena one = Arena.ofConfined()) {
                Matrix row = rows.rows(i, 1).copy(one);
                if (vectors > before) {
                    Matrix beside = basis.rows(before, vectors - before);
                    for (int pass = 0; pass < 2; pass++) {
                        Matrix along = LinearAlgebra.multiply(one, row, false, beside, true);
                        LinearAlgebra.multiplyAdd(-1, along, false, beside, false, row);
                    }
                }
                double length = Math.sqrt(row.squaredNorm());
                if (length > NO_LENGTH * scale) {
                    row.scale(1 / length);
                    basis.rows(vectors++, 1).values().copyFrom(row.values());
                }
            }
        }
        return vectors - before;
    }

    /// The positive eigenvectors, as columns; null while not all that are wanted are known.
    ///
    /// @param first the last block's first vector
    /// @param left what the last block's products have beside the vectors before
    /// @param last whether what there is has to do
    private @Nullable Matrix found(int first, int block, Matrix left, boolean last) {
        int seen = first + block;
        try (Arena one = Arena.ofConfined()) {
            LinearAlgebra.Eigen eigen =
                    LinearAlgebra.largestEigenvalues(one, seen(one, seen), Math.min(wanted, seen));
            double[] values = eigen.values();
            int positive = 0;
            for (int k = 0; k < values.length; k++) {
                Matrix tail = Matrix.zeros(one, 1, block);
                for (int i = 0; i < block; i++) {
                    tail.put(i, eigen.vectors().get(first + i, k));
                }
                Matrix rest = LinearAlgebra.multiply(one, tail, false, left, false);
                double enough = values[k] < 0 ? TOLERANCE_BELOW_ZERO : TOLERANCE;
                if (!last && Math.sqrt(rest.squaredNorm()) > enough * scale) {
                    return null;
                }
                positive += values[k] > TOLERANCE * scale ? 1 : 0;
            }
            Matrix weights = eigen.vectors().firstColumns(one, positive);
            return LinearAlgebra.multiply(arena, basis.rows(0, seen), true, weights, false);
        }
    }

    /// The matrix as the first vectors see it: what a later one has along an earlier one is the
    /// mirror of what that had along it.
    private Matrix seen(Arena one, int count) {
        Matrix matrix = Matrix.zeros(one, count, count);
        for (int i = 0; i < count; i++) {
            for (int j = 0; j <= i; j++) {
                matrix.set(i, j, projected.get(i, j));
                matrix.set(j, i, projected.get(i, j));
            }
        }
        return matrix;
    }

    private static double longest(Matrix rows) {
        double longest = 0;
        for (int i = 0; i < rows.rows(); i++) {
            longest = Math.max(longest, rows.rows(i, 1).squaredNorm());
        }
        return Math.sqrt(longest);
    }
}
