package dev.tributary.merging;

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
public final class MergeExecutor {
    /// Elements merged at a time.
    static final int BLOCK_ELEMENTS = 1 << 16;

    private MergeExecutor() {}

    /// Where merged blocks go.
    private interface Sink {
        void carry(SharedTensor tensor, MemorySegment bytes);

        /// Takes one block; answers whether all of it is finite.
        boolean accept(SharedTensor tensor, long from, int count, MemorySegment merged);
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
        try (CheckpointWriter writer =
                CheckpointWriter.create(
                        file,
                        plan.shared().stream().map(SharedTensor::output).toList(),
                        metadata)) {
            run(plan, inOrder(plan, writer), coefficients, new FileSink(writer), progress);
            return writer.finish();
        }
    }

    /// Merges into memory: the target says for each tensor where its fp32 values go.
    static void execute(MergePlan plan, @Nullable Coefficients coefficients, MemoryTarget target) {
        run(plan, plan.shared(), coefficients, new MemorySink(target), Progress.SILENT);
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
            Sink sink,
            Progress progress) {
        BlockMerge merge = BlockMerge.of(plan, coefficients);
        MemorySegment merged = nativeBlock(Float.BYTES);
        long total = tensors.stream().mapToLong(SharedTensor::elements).sum();
        long done = 0;
        for (SharedTensor tensor : tensors) {
            progress.update("merging", done, total);
            if (tensor.merged()) {
                merge.begin(tensor);
                tensor(plan, merge, tensor, sink, merged);
            } else {
                sink.carry(tensor, carried(plan, tensor));
            }
            done += tensor.elements();
        }
        progress.update("merging", total, total);
    }

    private static void tensor(
            MergePlan plan,
            BlockMerge merge,
            SharedTensor tensor,
            Sink sink,
            MemorySegment merged) {
        long elements = tensor.elements();
        for (long from = 0; from < elements; from += BLOCK_ELEMENTS) {
            int count = (int) Math.min(BLOCK_ELEMENTS, elements - from);
            merge.merge(tensor, from, count, merged);
            if (!sink.accept(tensor, from, count, merged)) {
                throw nonFinite(plan, tensor);
            }
        }
    }

    /// A tensor of integers, which must be the same everywhere: there is no mean of two position
    /// tables.
    private static MemorySegment carried(MergePlan plan, SharedTensor tensor) {
        MemorySegment bytes = plan.base().data(tensor.baseName());
        for (int m = 0; m < plan.members().size(); m++) {
            Member member = plan.members().get(m);
            MemorySegment own = member.expert().data(tensor.members().get(m).name());
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

    /// Finds who brought a NaN or an infinity in; nobody did when the sum itself became too large.
    private static RefusedException nonFinite(MergePlan plan, SharedTensor tensor) {
        Optional<Fault> fault =
                fault("base", tensor, plan.base().firstNonFinite(tensor.baseName()));
        for (int m = 0; m < plan.members().size() && fault.isEmpty(); m++) {
            Member member = plan.members().get(m);
            fault =
                    fault(
                            member.task(),
                            tensor,
                            member.expert().firstNonFinite(tensor.members().get(m).name()));
        }
        return new RefusedException(
                fault.orElseGet(() ->
                        new Fault(
                                FailureCode.NON_FINITE,
                                tensor.name(),
                                "became too large for %s: coefficients too large?"
                                        .formatted(tensor.outputDtype()))));
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

    /// What the arithmetic of a method holds in memory at most.
    static long peakBytes(MergeMethod method, List<Member> members) {
        long block = (long) BLOCK_ELEMENTS * Float.BYTES;
        long buffers = 4 * block;
        return switch (method) {
            case MergeMethod.Ties _ -> buffers + TiesMerge.bytes(members.size());
            case MergeMethod.WeightAveraging _,
                    MergeMethod.TaskArithmetic _,
                    MergeMethod.DivMerge _ ->
                    buffers;
        };
    }

    private static final class FileSink implements Sink {
        private final CheckpointWriter writer;
        private final MemorySegment narrowed = nativeBlock(Double.BYTES);

        FileSink(CheckpointWriter writer) {
            this.writer = writer;
        }

        @Override
        public void carry(SharedTensor tensor, MemorySegment bytes) {
            writer.write(tensor.outputName(), bytes);
        }

        @Override
        public boolean accept(SharedTensor tensor, long from, int count, MemorySegment merged) {
            MemorySegment bytes =
                    BlockMerge.slice(narrowed, tensor.outputDtype().bytes(), 0, count);
            Kernels.narrow(merged, tensor.outputDtype(), bytes, count);
            writer.write(tensor.outputName(), bytes);
            return Kernels.countNonFinite(tensor.outputDtype(), bytes, count) == 0;
        }
    }

    private static final class MemorySink implements Sink {
        private final MemoryTarget target;

        MemorySink(MemoryTarget target) {
            this.target = target;
        }

        @Override
        public void carry(SharedTensor tensor, MemorySegment bytes) {
            // Buffers of integers are no parameters: a running model makes its own.
        }

        @Override
        public boolean accept(SharedTensor tensor, long from, int count, MemorySegment merged) {
            MemorySegment.copy(
                    merged,
                    0,
                    target.values(tensor),
                    from * Float.BYTES,
                    (long) count * Float.BYTES);
            return Kernels.countNonFinite(Dtype.F32, merged, count) == 0;
        }
    }
}
