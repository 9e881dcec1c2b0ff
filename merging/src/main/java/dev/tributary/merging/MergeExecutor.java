package dev.tributary.merging;

import dev.tributary.merging.method.MergeArithmetic;
import dev.tributary.merging.method.MergeTensor;
import dev.tributary.merging.method.Statistics;
import dev.tributary.merging.method.TensorMerge;
import dev.tributary.merging.method.Workers;
import dev.tributary.tensors.CheckpointWriter;
import dev.tributary.tensors.ContentSum;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.Kernels;
import dev.tributary.tensors.NonFinite;
import dev.tributary.tensors.Progress;
import dev.tributary.tensors.RefusedException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Carries out a plan block by block, so that memory does not grow with the model: sums in fp32,
/// one rounding at the end, and a NaN or an infinity in or out stops it with the tensor's name.
/// Blocks are merged and written by several threads; no bit depends on how many.
public final class MergeExecutor {
    /// The stage whose progress is told in bytes, of all that are read and written.
    public static final String STAGE = "merging";

    /// Elements merged at a time.
    static final int BLOCK_ELEMENTS = ContentSum.BLOCK;

    private MergeExecutor() {}

    /// Elements that are read, merged and rounded before the next are, so that they stay in the
    /// second-level cache meanwhile.
    private static final int PIECE_ELEMENTS = 1 << 13;

    /// Where merged blocks go.
    private interface Sink {
        void carry(SharedTensor tensor, MemorySegment bytes);

        /// Merges a piece of a block, by any thread; answers whether all of it is finite.
        boolean merge(
                SharedTensor tensor, TensorMerge merge, long from, int count, Room room, int at);

        /// Takes a block, by any thread and in any order.
        void accept(SharedTensor tensor, long from, int count, Room room);
    }

    /// What one thread needs for one block.
    private record Room(MemorySegment merged, MemorySegment converted) {
        Room() {
            this(
                    Arena.ofAuto().allocate((long) PIECE_ELEMENTS * Float.BYTES, 64),
                    Arena.ofAuto().allocate((long) BLOCK_ELEMENTS * Double.BYTES, 64));
        }
    }

    /// Merges into one safetensors file.
    ///
    /// @param coefficients DivMerge's; null for the other methods
    /// @param file must not exist
    /// @param metadata goes into the file's header
    /// @return the file's digest
    /// @throws RefusedException for a NaN or an infinity, with its place; the file is then unusable
    public static Digest execute(
            MergePlan plan,
            @Nullable Coefficients coefficients,
            Path file,
            SequencedMap<String, String> metadata,
            Progress progress) {
        return execute(plan, coefficients, null, null, file, metadata, progress);
    }

    /// Merges into one safetensors file.
    ///
    /// @param statistics what was gathered for the plan; null for methods that ask for none
    /// @param sums takes in what the inputs are while they are read; null where that is known
    /// @return the file's digest; with sums, that of its weights' checksums
    static Digest execute(
            MergePlan plan,
            @Nullable Coefficients coefficients,
            @Nullable Statistics statistics,
            @Nullable InputSums sums,
            Path file,
            SequencedMap<String, String> metadata,
            Progress progress) {
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        file,
                        plan.shared().stream().map(SharedTensor::output).toList(),
                        metadata)) {
            ContentSum written = new ContentSum(writer.tensors().values());
            FileSink sink = new FileSink(writer, sums == null ? null : written);
            run(plan, inOrder(plan, writer), coefficients, statistics, sums, sink, progress);
            if (sums == null) {
                return writer.finish();
            }
            Digest digest = written.digest();
            writer.finish(digest);
            return digest;
        }
    }

    /// Merges into memory: the target says for each tensor where its fp32 values go.
    static void execute(
            MergePlan plan,
            @Nullable Coefficients coefficients,
            @Nullable Statistics statistics,
            MemoryTarget target) {
        run(
                plan,
                plan.shared(),
                coefficients,
                statistics,
                null,
                new MemorySink(target),
                Progress.SILENT);
    }

    /// Where the fp32 values of a merged tensor go.
    @FunctionalInterface
    interface MemoryTarget {
        MemorySegment values(SharedTensor tensor);
    }

    /// The tensors in the order in which the file holds them.
    private static List<SharedTensor> inOrder(MergePlan plan, CheckpointWriter writer) {
        Map<String, SharedTensor> byName =
                plan.shared().stream().collect(Collectors.toMap(SharedTensor::outputName, t -> t));
        return writer.tensors().keySet().stream().map(byName::get).toList();
    }

    private static void run(
            MergePlan plan,
            List<SharedTensor> tensors,
            @Nullable Coefficients coefficients,
            @Nullable Statistics statistics,
            @Nullable InputSums sums,
            Sink sink,
            Progress progress) {
        try (Workers workers = Workers.create()) {
            PlanInputs inputs =
                    new PlanInputs(
                            plan.base(),
                            plan.members(),
                            plan.groups(),
                            tensors,
                            coefficients,
                            workers,
                            statistics);
            MergeArithmetic arithmetic = plan.method().arithmetic(inputs);
            Meter meter = new Meter(plan, tensors, progress);
            Blocks blocks = new Blocks(workers, sums, meter);
            meter.add(0);
            for (SharedTensor tensor : tensors) {
                if (tensor.merged()) {
                    try (TensorMerge merge = arithmetic.of(inputs.of(tensor))) {
                        blocks.merge(plan, tensor, merge, sink);
                    }
                } else if (tensor.baseDtype().floating()) {
                    blocks.merge(plan, tensor, kept(plan, tensor), sink);
                } else {
                    sink.carry(tensor, carried(plan, tensor));
                    meter.add(tensor.output().bytes());
                }
            }
            meter.end();
        }
    }

    /// Tells how far a merge is, in the bytes its plan counts.
    private static final class Meter {
        private final Progress progress;
        private final long output;
        private final long total;
        private long written;

        Meter(MergePlan plan, List<SharedTensor> tensors, Progress progress) {
            this.progress = progress;
            this.output = tensors.stream().mapToLong(t -> t.output().bytes()).sum();
            this.total = Math.max(output, plan.bytesToRead() + plan.bytesToWrite());
        }

        /// So many bytes of the output are merged, by any thread.
        synchronized void add(long bytes) {
            written += bytes;
            double share = output == 0 ? 0 : (double) written / output;
            progress.update(STAGE, Math.min(total, Math.round(share * total)), total);
        }

        synchronized void end() {
            progress.update(STAGE, total, total);
        }
    }

    /// The base's own values.
    private static TensorMerge kept(MergePlan plan, SharedTensor tensor) {
        MergeTensor.Stored base =
                PlanInputs.stored(tensor, plan.baseOf(tensor), plan.members()).getFirst();
        return (from, count, target) ->
                Kernels.widen(base.dtype(), base.slice(from, count), 0, target, count);
    }

    /// Merges the blocks of one tensor after another.
    private static final class Blocks {
        private final Workers workers;
        private final @Nullable InputSums sums;
        private final Meter meter;
        private final ConcurrentLinkedDeque<Room> rooms = new ConcurrentLinkedDeque<>();

        Blocks(Workers workers, @Nullable InputSums sums, Meter meter) {
            this.workers = workers;
            this.sums = sums;
            this.meter = meter;
        }

        void merge(MergePlan plan, SharedTensor tensor, TensorMerge merge, Sink sink) {
            long elements = tensor.elements();
            int blocks = Math.toIntExact((elements + BLOCK_ELEMENTS - 1) / BLOCK_ELEMENTS);
            List<InputSums.Source> sources = sums == null ? List.of() : sums.of(plan, tensor);
            workers.each(
                    blocks,
                    b -> {
                        Room room = Optional.ofNullable(rooms.pollFirst()).orElseGet(Room::new);
                        long from = (long) b * BLOCK_ELEMENTS;
                        int count = (int) Math.min(BLOCK_ELEMENTS, elements - from);
                        if (!one(tensor, merge, sink, sources, from, count, room)) {
                            throw nonFinite(plan, tensor);
                        }
                        sink.accept(tensor, from, count, room);
                        rooms.addFirst(room);
                        meter.add((long) count * tensor.outputDtype().bytes());
                    });
        }

        /// Answers whether all of it is finite.
        private static boolean one(
                SharedTensor tensor,
                TensorMerge merge,
                Sink sink,
                List<InputSums.Source> sources,
                long from,
                int count,
                Room room) {
            List<ContentSum.Block> sums = InputSums.begin(sources, from);
            boolean finite = true;
            for (int at = 0; at < count; at += PIECE_ELEMENTS) {
                int length = Math.min(PIECE_ELEMENTS, count - at);
                for (int s = 0; s < sums.size(); s++) {
                    sums.get(s).update(sources.get(s).slice(from + at, length));
                }
                finite &= sink.merge(tensor, merge, from + at, length, room, at);
            }
            sums.forEach(ContentSum.Block::end);
            return finite;
        }
    }

    /// A tensor of integers, which must be the same everywhere: there is no mean of two position
    /// tables.
    private static MemorySegment carried(MergePlan plan, SharedTensor tensor) {
        MemorySegment bytes = plan.baseOf(tensor).data(tensor.baseName());
        if (tensor.kept()) {
            return bytes;
        }
        for (SharedTensor.Source source : tensor.members()) {
            Member member = plan.members().get(source.member());
            MemorySegment own = member.expert().data(source.name());
            if (own.mismatch(bytes) >= 0) {
                throw new RefusedException(
                        new Fault(
                                FailureCode.DTYPE_MISMATCH,
                                member.task() + " " + tensor.name(),
                                "differs from the base's, but %s cannot be merged"
                                        .formatted(tensor.baseDtype())));
            }
        }
        return bytes;
    }

    /// Finds who brought a NaN or an infinity in: in this tensor, or in another one where the
    /// method looks at all of them. Nobody did when the sum itself became too large.
    private static RefusedException nonFinite(MergePlan plan, SharedTensor tensor) {
        Optional<Fault> fault = brought(plan, tensor);
        for (SharedTensor other : plan.shared()) {
            if (fault.isEmpty() && other.merged()) {
                fault = brought(plan, other);
            }
        }
        return new RefusedException(
                fault.orElseGet(() ->
                        new Fault(
                                FailureCode.NON_FINITE,
                                tensor.name(),
                                "became too large for %s: coefficients too large?"
                                        .formatted(tensor.outputDtype()))));
    }

    private static Optional<Fault> brought(MergePlan plan, SharedTensor tensor) {
        Optional<Fault> fault =
                tensor.standIn() < 0
                        ? fault("base", tensor, plan.base().firstNonFinite(tensor.baseName()))
                        : Optional.empty();
        for (SharedTensor.Source source : tensor.members()) {
            if (fault.isEmpty()) {
                Member member = plan.members().get(source.member());
                fault = fault(member.task(), tensor, member.expert().firstNonFinite(source.name()));
            }
        }
        return fault;
    }

    static Optional<Fault> fault(String owner, SharedTensor tensor, Optional<NonFinite> nonFinite) {
        return nonFinite.map(
                found -> nonFinite(owner + " " + tensor.name(), tensor.elements(), found));
    }

    static Fault nonFinite(String where, long elements, NonFinite found) {
        return new Fault(
                FailureCode.NON_FINITE,
                where,
                "has %d NaN or infinite of %d elements, the first at index %d: a training run"
                                .formatted(found.count(), elements, found.firstIndex())
                        + " that diverged?");
    }

    /// Room for a block, outside of the heap: vector loops over mapped files and over arrays do not
    /// mix well.
    static MemorySegment nativeBlock(int elementBytes) {
        return Arena.ofAuto().allocate((long) BLOCK_ELEMENTS * elementBytes, Long.BYTES);
    }

    /// A stretch of a tensor's bytes.
    static MemorySegment slice(MemorySegment data, int elementBytes, long from, long count) {
        return data.asSlice(from * elementBytes, count * elementBytes);
    }

    /// What carrying out a plan holds in memory, whatever the method: blocks, and tiles for every
    /// thread.
    static long bufferBytes(int experts) {
        int threads = Workers.available();
        long room = (long) BLOCK_ELEMENTS * Double.BYTES + (long) PIECE_ELEMENTS * Float.BYTES;
        long tile = (experts + 8L) * BLOCK_ELEMENTS / 8;
        return threads * (room + tile);
    }

    private record FileSink(CheckpointWriter writer, @Nullable ContentSum sum) implements Sink {
        @Override
        public void carry(SharedTensor tensor, MemorySegment bytes) {
            writer.write(tensor.outputName(), 0, bytes);
            for (long from = 0; from < tensor.elements(); from += ContentSum.BLOCK) {
                long count = Math.min(ContentSum.BLOCK, tensor.elements() - from);
                add(tensor, from, slice(bytes, tensor.outputDtype().bytes(), from, count));
            }
        }

        @Override
        public boolean merge(
                SharedTensor tensor, TensorMerge merge, long from, int count, Room room, int at) {
            Dtype dtype = tensor.outputDtype();
            MemorySegment target = slice(room.converted(), dtype.bytes(), at, count);
            return merge.merge(from, count, room.merged(), dtype, target);
        }

        @Override
        public void accept(SharedTensor tensor, long from, int count, Room room) {
            int elementBytes = tensor.outputDtype().bytes();
            MemorySegment bytes = slice(room.converted(), elementBytes, 0, count);
            add(tensor, from, bytes);
            writer.write(tensor.outputName(), from * elementBytes, bytes);
        }

        private void add(SharedTensor tensor, long from, MemorySegment bytes) {
            if (sum != null) {
                ContentSum.Block block = sum.begin(tensor.outputName(), from);
                block.update(bytes);
                block.end();
            }
        }
    }

    private record MemorySink(MemoryTarget target) implements Sink {
        @Override
        public void carry(SharedTensor tensor, MemorySegment bytes) {
            // Buffers of integers are no parameters: a running model makes its own.
        }

        @Override
        public boolean merge(
                SharedTensor tensor, TensorMerge merge, long from, int count, Room room, int at) {
            merge.merge(from, count, room.merged());
            MemorySegment.copy(
                    room.merged(),
                    0,
                    target.values(tensor),
                    from * Float.BYTES,
                    (long) count * Float.BYTES);
            return Kernels.countNonFinite(Dtype.F32, room.merged(), count) == 0;
        }

        @Override
        public void accept(SharedTensor tensor, long from, int count, Room room) {
            // It is already where it belongs.
        }
    }
}
