package dev.tributary.merging;

import dev.tributary.merging.method.MergeTensor;
import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.Dtype;
import dev.tributary.tensors.LowRank;
import java.lang.foreign.MemorySegment;

/// A matrix that an adapter changes, made a stretch at a time.
record LowRankRows(LowRank factors) implements MergeTensor.Stored {

    /// A tensor of an expert, whichever way it is kept.
    static MergeTensor.Stored of(Checkpoint expert, SharedTensor.Source source) {
        return expert.lowRank(source.name())
                .<MergeTensor.Stored>map(LowRankRows::new)
                .orElseGet(
                        () -> new MergeTensor.Mapped(source.dtype(), expert.data(source.name())));
    }

    @Override
    public Dtype dtype() {
        return Dtype.F32;
    }

    @Override
    public long bytes() {
        return factors.bytes();
    }

    @Override
    public MemorySegment slice(long from, long count) {
        return factors.slice(from, count);
    }
}
