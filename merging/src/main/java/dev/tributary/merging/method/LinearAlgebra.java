package dev.tributary.merging.method;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas;

/// The few operations of BLAS and LAPACK that merge methods need, on [Matrix] and by OpenBLAS. The
/// only class that knows it.
///
/// Every call runs on the thread that makes it, so that no bit depends on the number of threads;
/// the instructions a processor has may still show in the last bits.
final class LinearAlgebra {
    private static final int ROW_MAJOR = openblas.LAPACK_ROW_MAJOR;

    /// Singular values smaller than this share of the largest are noise of fp32 inputs.
    private static final double RANK_TOLERANCE = 1e-6;

    static {
        openblas.blas_set_num_threads(1);
    }

    private LinearAlgebra() {}

    /// The leading part of a singular value decomposition `u diag(values) v^T`, as far as values
    /// differ from zero; they descend, and the columns of `u` and `v` are orthonormal.
    static final class Svd {
        private final Matrix u;
        private final double[] values;
        private final Matrix v;

        private Svd(Matrix u, double[] values, Matrix v) {
            this.u = u;
            this.values = values;
            this.v = v;
        }

        Matrix u() {
            return u;
        }

        double[] values() {
            return values.clone();
        }

        Matrix v() {
            return v;
        }

        int rank() {
            return values.length;
        }
    }

    /// Memory of another owner, seen as LAPACK's.
    private static final class View extends DoublePointer {
        View(MemorySegment memory) {
            super((Pointer) null);
            address = memory.address();
            limit = memory.byteSize() / Double.BYTES;
            capacity = limit;
        }
    }

    /// `a b`, either one transposed first if wanted.
    static Matrix multiply(
            Arena arena, Matrix a, boolean transposeA, Matrix b, boolean transposeB) {
        int rows = transposeA ? a.columns() : a.rows();
        int inner = transposeA ? a.rows() : a.columns();
        int columns = transposeB ? b.rows() : b.columns();
        Matrix product = Matrix.zeros(arena, rows, columns);
        if (rows > 0 && inner > 0 && columns > 0) {
            multiplyAdd(1, a, transposeA, b, transposeB, product);
        }
        return product;
    }

    /// `target += factor a b`.
    static void multiplyAdd(
            double factor,
            Matrix a,
            boolean transposeA,
            Matrix b,
            boolean transposeB,
            Matrix target) {
        openblas.cblas_dgemm(
                openblas.CblasRowMajor,
                transposeA ? openblas.CblasTrans : openblas.CblasNoTrans,
                transposeB ? openblas.CblasTrans : openblas.CblasNoTrans,
                target.rows(),
                target.columns(),
                transposeA ? a.rows() : a.columns(),
                factor,
                new View(a.values()),
                a.columns(),
                new View(b.values()),
                b.columns(),
                1,
                new View(target.values()),
                target.columns());
    }

    /// Adds `factor a b^T`, which are rows of a symmetric matrix, without the columns left of the
    /// first row's diagonal.
    ///
    /// @param from the first row's number in the matrix
    static void multiplyAddRightOfDiagonal(
            double factor, Matrix a, Matrix b, int from, Matrix target) {
        Matrix right = b.rows(from, b.rows() - from);
        Matrix rows = target.rows(from, a.rows());
        openblas.cblas_dgemm(
                openblas.CblasRowMajor,
                openblas.CblasNoTrans,
                openblas.CblasTrans,
                a.rows(),
                right.rows(),
                a.columns(),
                factor,
                new View(a.values()),
                a.columns(),
                new View(right.values()),
                right.columns(),
                1,
                new View(rows.values().asSlice((long) from * Double.BYTES)),
                target.columns());
    }

    /// Decomposes a matrix, which is overwritten.
    static Svd svd(Arena arena, Matrix a) {
        int size = Math.min(a.rows(), a.columns());
        Matrix u = Matrix.zeros(arena, a.rows(), size);
        Matrix vTransposed = Matrix.zeros(arena, size, a.columns());
        Matrix values = Matrix.zeros(arena, 1, size);
        require(
                openblas.LAPACKE_dgesdd(
                        ROW_MAJOR,
                        (byte) 'S',
                        a.rows(),
                        a.columns(),
                        new View(a.values()),
                        a.columns(),
                        new View(values.values()),
                        new View(u.values()),
                        size,
                        new View(vTransposed.values()),
                        a.columns()),
                "singular value decomposition");
        int rank = 0;
        while (rank < size && values.at(rank) > values.at(0) * RANK_TOLERANCE) {
            rank++;
        }
        double[] kept = new double[rank];
        Matrix v = Matrix.zeros(arena, a.columns(), rank);
        for (int k = 0; k < rank; k++) {
            kept[k] = values.at(k);
            for (int row = 0; row < a.columns(); row++) {
                v.set(row, k, vTransposed.get(k, row));
            }
        }
        return new Svd(rank == size ? u : u.firstColumns(arena, rank), kept, v);
    }

    /// The nearest matrix with orthonormal columns, in the span of the given ones: the orthogonal
    /// factor of the polar decomposition. The argument is overwritten.
    static Matrix polar(Arena arena, Matrix a) {
        if (a.columns() == 0) {
            return a;
        }
        Svd svd = svd(arena, a);
        return multiply(arena, svd.u(), false, svd.v(), true);
    }

    /// Solves `x g = b` for a symmetric positive definite matrix; both are overwritten, `b` by the
    /// solution.
    ///
    /// @return whether the matrix is positive definite
    static boolean solveRight(Matrix g, Matrix b) {
        int n = g.rows();
        // Row by row this is g x^T = b^T: a column-major reading of b is its transpose.
        int columnMajor = openblas.LAPACK_COL_MAJOR;
        int info = openblas.LAPACKE_dpotrf(columnMajor, (byte) 'L', n, new View(g.values()), n);
        if (info > 0) {
            return false;
        }
        require(info, "Cholesky decomposition");
        require(
                openblas.LAPACKE_dpotrs(
                        columnMajor,
                        (byte) 'L',
                        n,
                        b.rows(),
                        new View(g.values()),
                        n,
                        new View(b.values()),
                        n),
                "Cholesky solution");
        return true;
    }

    /// Eigenvalues, descending, and eigenvectors, as columns, of a symmetric matrix.
    static final class Eigen {
        private final double[] values;
        private final Matrix vectors;

        private Eigen(double[] values, Matrix vectors) {
            this.values = values;
            this.vectors = vectors;
        }

        double[] values() {
            return values.clone();
        }

        Matrix vectors() {
            return vectors;
        }
    }

    /// The largest eigenvalues of a symmetric matrix with their eigenvectors; what is left of the
    /// diagonal is not read, and the matrix is overwritten.
    static Eigen largestEigenvalues(Arena arena, Matrix a, int count) {
        int n = a.rows();
        Matrix values = Matrix.zeros(arena, 1, n);
        Matrix rows = Matrix.zeros(arena, count, n);
        try (IntPointer found = new IntPointer(1);
                IntPointer support = new IntPointer(2L * Math.max(1, count))) {
            // Read column by column, a symmetric matrix is itself, and an eigenvector a row.
            require(
                    openblas.LAPACKE_dsyevr(
                            openblas.LAPACK_COL_MAJOR,
                            (byte) 'V',
                            (byte) 'I',
                            (byte) 'L',
                            n,
                            new View(a.values()),
                            n,
                            0,
                            0,
                            n - count + 1,
                            n,
                            0,
                            found,
                            new View(values.values()),
                            new View(rows.values()),
                            n,
                            support),
                    "eigenvalue decomposition");
        }
        double[] descending = new double[count];
        Matrix vectors = Matrix.zeros(arena, n, count);
        for (int k = 0; k < count; k++) {
            int ascending = count - 1 - k;
            descending[k] = values.at(ascending);
            for (int i = 0; i < n; i++) {
                vectors.set(i, k, rows.get(ascending, i));
            }
        }
        return new Eigen(descending, vectors);
    }

    private static void require(int info, String what) {
        if (info != 0) {
            throw new IllegalStateException("%s failed with code %d".formatted(what, info));
        }
    }
}
