package dev.tributary.merging;

import dev.tributary.merging.method.MergeTensor;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntUnaryOperator;

/// A tensor over the vocabulary as one model would have it, had it the merged model's tokens: its
/// rows are looked up while they are streamed. Where they follow each other in the file, as nearly
/// all rows of most vocabularies do, nothing is copied.
final class AlignedRows implements MergeTensor.Stored {
    /// Elements a thread asks for at a time, at most; what it asks for is put together in memory.
    static final int LARGEST_SLICE = 1 << 18;

    private static final ValueLayout.OfFloat F32 =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Dtype dtype;
    private final int rows;
    private final long columns;
    private final MergeTensor.Mapped own;
    private final IntUnaryOperator place;
    private final Absent absent;
    private final Map<Thread, MemorySegment> rooms = new ConcurrentHashMap<>();

    /// Writes what stands for a row that a model lacks.
    @FunctionalInterface
    private interface Absent {
        void write(int row, long column, long count, Dtype as, MemorySegment target);
    }

    private AlignedRows(
            Dtype dtype,
            RowAlignment rows,
            MergeTensor.Mapped own,
            IntUnaryOperator place,
            Absent absent) {
        this.dtype = dtype;
        this.rows = rows.rows();
        this.columns = rows.columns();
        this.own = own;
        this.place = place;
        this.absent = absent;
    }

    /// The base's rows; those it lacks are the mean of the experts' that have them.
    static AlignedRows ofBase(
            RowAlignment rows, MergeTensor.Mapped base, List<MergeTensor.Mapped> experts) {
        return new AlignedRows(
                base.dtype(),
                rows,
                base,
                rows::inBase,
                (row, column, count, as, target) ->
                        mean(rows, base.dtype(), experts, row, column, count, as, target));
    }

    /// An expert's rows; those it lacks are exactly the base's, so that its task vector is zero
    /// there.
    AlignedRows ofMember(RowAlignment alignment, int member, MergeTensor.Mapped expert) {
        Dtype exact = expert.dtype() == dtype ? dtype : Dtype.F32;
        return new AlignedRows(
                exact, alignment, expert, row -> alignment.inMember(member, row), this::write);
    }

    /// The element type handed out: the file's, or fp32 where rows of two types come together.
    @Override
    public Dtype dtype() {
        return dtype;
    }

    @Override
    public long bytes() {
        return rows * columns * dtype.bytes();
    }

    @Override
    public MemorySegment slice(long from, long count) {
        int row = Math.toIntExact(from / columns);
        long column = from % columns;
        if (own.dtype() == dtype && run(row, column, count) == count) {
            return own.slice(place.applyAsInt(row) * columns + column, count);
        }
        MemorySegment target = room(count * dtype.bytes());
        for (long done = 0; done < count; ) {
            int next = Math.toIntExact((from + done) / columns);
            long at = (from + done) % columns;
            long length =
                    place.applyAsInt(next) < 0
                            ? Math.min(columns - at, count - done)
                            : run(next, at, count - done);
            write(next, at, length, dtype, part(target, dtype, done, length));
            done += length;
        }
        return target.asSlice(0, count * dtype.bytes());
    }

    /// How many elements from here on follow each other in the file, counted up to a limit; none
    /// where the model lacks the row.
    private long run(int row, long column, long limit) {
        int first = place.applyAsInt(row);
        if (first < 0) {
            return 0;
        }
        long length = columns - column;
        for (int next = row + 1; length < limit && next < rows; next++) {
            if (place.applyAsInt(next) != first + next - row) {
                break;
            }
            length += columns;
        }
        return Math.min(length, limit);
    }

    /// Writes elements that follow each other in the file, or part of a row that is not there.
    private void write(int row, long column, long count, Dtype as, MemorySegment target) {
        int first = place.applyAsInt(row);
        if (first < 0) {
            absent.write(row, column, count, as, target);
        } else {
            copy(own.dtype(), own.slice(first * columns + column, count), as, target, count);
        }
    }

    private static void mean(
            RowAlignment rows,
            Dtype dtype,
            List<MergeTensor.Mapped> experts,
            int row,
            long column,
            long count,
            Dtype as,
            MemorySegment target) {
        int length = Math.toIntExact(count);
        MemorySegment floats = Arena.ofAuto().allocate(count * Float.BYTES, 64);
        double[] sum = new double[length];
        int having = 0;
        for (int e = 0; e < experts.size(); e++) {
            int place = rows.inMember(e, row);
            if (place >= 0) {
                MergeTensor.Mapped expert = experts.get(e);
                long from = place * rows.columns() + column;
                Kernels.widen(expert.dtype(), expert.data(), from, floats, count);
                for (int i = 0; i < length; i++) {
                    sum[i] += floats.get(F32, (long) i * Float.BYTES);
                }
                having++;
            }
        }
        if (having > 1) {
            for (int i = 0; i < length; i++) {
                sum[i] /= having;
            }
        }
        for (int i = 0; i < length; i++) {
            floats.set(F32, (long) i * Float.BYTES, (float) sum[i]);
        }
        MemorySegment rounded = Arena.ofAuto().allocate(count * dtype.bytes(), 64);
        Kernels.narrow(floats, dtype, rounded, count);
        copy(dtype, rounded, as, target, count);
    }

    private static void copy(
            Dtype from, MemorySegment source, Dtype to, MemorySegment target, long count) {
        if (from == to) {
            MemorySegment.copy(source, 0, target, 0, count * to.bytes());
        } else {
            Kernels.widen(from, source, 0, target, count);
        }
    }

    private static MemorySegment part(MemorySegment memory, Dtype dtype, long from, long count) {
        return memory.asSlice(from * dtype.bytes(), count * dtype.bytes());
    }

    /// A thread's own, so that threads need not wait for each other; owned by none, as the kernels'
    /// operands are.
    private MemorySegment room(long bytes) {
        MemorySegment held = rooms.get(Thread.currentThread());
        if (held == null || held.byteSize() < bytes) {
            held = Arena.ofAuto().allocate(bytes, 64);
            rooms.put(Thread.currentThread(), held);
        }
        return held;
    }
}
