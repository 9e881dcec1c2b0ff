package dev.tributary.merging.method;

import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A matrix of doubles, row after row, outside of the heap.
///
/// @param values lives as long as the arena it was allocated in
record Matrix(int rows, int columns, MemorySegment values) {

    /// A matrix of zeros.
    static Matrix zeros(Arena arena, int rows, int columns) {
        return new Matrix(
                rows,
                columns,
                arena.allocate(Math.max(1, (long) rows * columns) * Double.BYTES, 64));
    }

    /// The task vector of one expert; one row for tensors of one dimension.
    static Matrix ofTaskVector(Arena arena, MergeTensor tensor, int expert) {
        int columns = Math.toIntExact(tensor.columns());
        int rows = Math.toIntExact(tensor.elements() / Math.max(1, columns));
        Matrix matrix = zeros(arena, rows, columns);
        MergeTensor.Stored stored = tensor.experts().get(expert).stored();
        MemorySegment tile = Tiles.take();
        for (long from = 0; from < tensor.elements(); from += Tiles.SIZE) {
            int count = (int) Math.min(Tiles.SIZE, tensor.elements() - from);
            Kernels.difference(
                    stored.dtype(),
                    stored.slice(from, count),
                    tensor.base().dtype(),
                    tensor.base().slice(from, count),
                    tile,
                    count);
            Kernels.narrow(
                    tile,
                    Dtype.F64,
                    matrix.values.asSlice(from * Double.BYTES, (long) count * Double.BYTES),
                    count);
        }
        Tiles.giveBack(tile);
        return matrix;
    }

    /// Values in fp32, row after row.
    static Matrix ofFloats(Arena arena, int rows, int columns, MemorySegment floats) {
        Matrix matrix = zeros(arena, rows, columns);
        Kernels.narrow(floats, Dtype.F64, matrix.values, matrix.elements());
        return matrix;
    }

    /// The same numbers in memory of their own.
    Matrix copy(Arena arena) {
        Matrix copy = zeros(arena, rows, columns);
        copy.values.copyFrom(values);
        return copy;
    }

    /// Some of its rows; no copy.
    Matrix rows(int from, int count) {
        long row = (long) columns * Double.BYTES;
        return new Matrix(count, columns, values.asSlice(from * row, count * row));
    }

    double trace() {
        double sum = 0;
        for (int i = 0; i < Math.min(rows, columns); i++) {
            sum += get(i, i);
        }
        return sum;
    }

    long elements() {
        return (long) rows * columns;
    }

    double get(int row, int column) {
        return values.getAtIndex(ValueLayout.JAVA_DOUBLE, (long) row * columns + column);
    }

    void set(int row, int column, double value) {
        values.setAtIndex(ValueLayout.JAVA_DOUBLE, (long) row * columns + column, value);
    }

    double at(long index) {
        return values.getAtIndex(ValueLayout.JAVA_DOUBLE, index);
    }

    void put(long index, double value) {
        values.setAtIndex(ValueLayout.JAVA_DOUBLE, index, value);
    }

    /// Adds a multiple of another matrix.
    void add(double factor, Matrix other) {
        for (long i = 0; i < elements(); i++) {
            put(i, Math.fma(factor, other.at(i), at(i)));
        }
    }

    void scale(double factor) {
        for (long i = 0; i < elements(); i++) {
            put(i, at(i) * factor);
        }
    }

    /// Multiplies every column by its own factor.
    void scaleColumns(double[] factors) {
        for (int row = 0; row < rows; row++) {
            for (int column = 0; column < columns; column++) {
                set(row, column, get(row, column) * factors[column]);
            }
        }
    }

    double squaredNorm() {
        double sum = 0;
        for (long i = 0; i < elements(); i++) {
            sum += at(i) * at(i);
        }
        return sum;
    }

    /// Copies the first columns of another matrix into this one.
    void copyColumns(Matrix from, int count, int toColumn) {
        for (int row = 0; row < rows; row++) {
            MemorySegment.copy(
                    from.values,
                    (long) row * from.columns * Double.BYTES,
                    values,
                    ((long) row * columns + toColumn) * Double.BYTES,
                    (long) count * Double.BYTES);
        }
    }

    /// The first columns alone.
    Matrix firstColumns(Arena arena, int count) {
        Matrix first = zeros(arena, rows, count);
        first.copyColumns(this, count, 0);
        return first;
    }

    boolean finite() {
        return Kernels.countNonFinite(Dtype.F64, values, elements()) == 0;
    }
}
