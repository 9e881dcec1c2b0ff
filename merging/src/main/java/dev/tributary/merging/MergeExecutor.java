package dev.tributary.merging;

import dev.tributary.merging.method.MergeArithmetic;
import dev.tributary.merging.method.Statistics;
import dev.tributary.merging.method.TensorMerge;
import dev.tributary.merging.method.Workers;
import dev.tributary.tensors.CheckpointWriter;
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
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Carries out a plan block by block, so that memory does not grow with the model: sums in fp32,
/// one rounding at the end, and a NaN or an infinity in or out stops it with the tensor's name.
/// Blocks are merged by several threads and written in order; no bit depends on how many.
public final class MergeExecutor {
    /// Elements merged at a time.
    static final int BLOCK_ELEMENTS = 1 << 16;

    private MergeExecutor() {}

    /// Where merged blocks go.
    private interface Sink {
        void carry(SharedTensor tensor, MemorySegment bytes);

        /// Makes a block what the result holds, by any thread; answers whether all of it is finite.
        boolean convert(
                SharedTensor tensor, long from, int count, MemorySegment merged, MemorySegment out);

        /// Takes the blocks, in order.
        void accept(SharedTensor tensor, int count, MemorySegment out);
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
        return execute(plan, coefficients, null, file, metadata, progress);
    }

    /// Merges into one safetensors file by a method that may have asked for statistics.
    ///
    /// @param statistics what was gathered for the plan; null for methods that ask for none
    static Digest execute(
            MergePlan plan,
            @Nullable Coefficients coefficients,
            @Nullable Statistics statistics,
            Path file,
            SequencedMap<String, String> metadata,
            Progress progress) {
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        file,
                        plan.shared().stream().map(SharedTensor::output).toList(),
                        metadata)) {
            run(
                    plan,
                    inOrder(plan, writer),
                    coefficients,
                    statistics,
                    new FileSink(writer),
                    progress);
            return writer.finish();
        }
    }

    /// Merges into memory: the target says for each tensor where its fp32 values go.
    static void execute(
            MergePlan plan,
            @Nullable Coefficients coefficients,
            @Nullable Statistics statistics,
            MemoryTarget target) {
        run(plan, plan.shared(), coefficients, statistics, new MemorySink(target), Progress.SILENT);
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
            Blocks blocks = new Blocks(workers);
            long total = tensors.stream().mapToLong(SharedTensor::elements).sum();
            long done = 0;
            for (SharedTensor tensor : tensors) {
                progress.update("merging", done, total);
                if (tensor.merged()) {
                    try (TensorMerge merge = arithmetic.of(inputs.of(tensor))) {
                        blocks.merge(plan, tensor, merge, sink);
                    }
                } else if (tensor.baseDtype().floating()) {
                    blocks.merge(plan, tensor, kept(plan, tensor), sink);
                } else {
                    sink.carry(tensor, carried(plan, tensor));
                }
                done += tensor.elements();
            }
            progress.update("merging", total, total);
        }
    }

    /// The base's own values.
    private static TensorMerge kept(MergePlan plan, SharedTensor tensor) {
        MemorySegment base = plan.baseOf(tensor).data(tensor.baseName());
        return (from, count, target) ->
                Kernels.widen(tensor.baseDtype(), base, from, target, count);
    }

    /// Room for the blocks that are merged at the same time.
    private static final class Blocks {
        private final Workers workers;
        private final MemorySegment[] merged;
        private final MemorySegment[] converted;
        private final boolean[] finite;

        Blocks(Workers workers) {
            this.workers = workers;
            int blocks = blocks(workers.threads());
            this.merged = new MemorySegment[blocks];
            this.converted = new MemorySegment[blocks];
            this.finite = new boolean[blocks];
            for (int b = 0; b < blocks; b++) {
                merged[b] = nativeBlock(Float.BYTES);
                converted[b] = nativeBlock(Double.BYTES);
            }
        }

        void merge(MergePlan plan, SharedTensor tensor, TensorMerge merge, Sink sink) {
            long elements = tensor.elements();
            long stride = (long) merged.length * BLOCK_ELEMENTS;
            for (long from = 0; from < elements; from += stride) {
                long left = Math.min(stride, elements - from);
                int blocks = (int) ((left + BLOCK_ELEMENTS - 1) / BLOCK_ELEMENTS);
                long begin = from;
                workers.each(blocks, b -> one(tensor, merge, sink, begin, b));
                for (int b = 0; b < blocks; b++) {
                    if (!finite[b]) {
                        throw nonFinite(plan, tensor);
                    }
                    sink.accept(tensor, count(tensor, begin, b), converted[b]);
                }
            }
        }

        private void one(SharedTensor tensor, TensorMerge merge, Sink sink, long begin, int block) {
            long from = begin + (long) block * BLOCK_ELEMENTS;
            int count = count(tensor, begin, block);
            merge.merge(from, count, merged[block]);
            finite[block] = sink.convert(tensor, from, count, merged[block], converted[block]);
        }

        private static int count(SharedTensor tensor, long begin, int block) {
            long from = begin + (long) block * BLOCK_ELEMENTS;
            return (int) Math.min(BLOCK_ELEMENTS, tensor.elements() - from);
        }
    }

    /// Several blocks a thread, so that none waits long for another.
    private static int blocks(int threads) {
        return 4 * threads;
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
        long block = (long) BLOCK_ELEMENTS * (Float.BYTES + Double.BYTES);
        long tile = (experts + 8L) * BLOCK_ELEMENTS / 8;
        return blocks(threads) * block + threads * tile;
    }

    private record FileSink(CheckpointWriter writer) implements Sink {
        @Override
        public void carry(SharedTensor tensor, MemorySegment bytes) {
            writer.write(tensor.outputName(), bytes);
        }

        @Override
        public boolean convert(
                SharedTensor tensor,
                long from,
                int count,
                MemorySegment merged,
                MemorySegment out) {
            Kernels.narrow(merged, tensor.outputDtype(), out, count);
            return Kernels.countNonFinite(tensor.outputDtype(), out, count) == 0;
        }

        @Override
        public void accept(SharedTensor tensor, int count, MemorySegment out) {
            writer.write(tensor.outputName(), slice(out, tensor.outputDtype().bytes(), 0, count));
        }
    }

    private record MemorySink(MemoryTarget target) implements Sink {
        @Override
        public void carry(SharedTensor tensor, MemorySegment bytes) {
            // Buffers of integers are no parameters: a running model makes its own.
        }

        @Override
        public boolean convert(
                SharedTensor tensor,
                long from,
                int count,
                MemorySegment merged,
                MemorySegment out) {
            MemorySegment.copy(
                    merged,
                    0,
                    target.values(tensor),
                    from * Float.BYTES,
                    (long) count * Float.BYTES);
            return Kernels.countNonFinite(Dtype.F32, merged, count) == 0;
        }

        @Override
        public void accept(SharedTensor tensor, int count, MemorySegment out) {
            // It is already where it belongs.
        }
    }
}
