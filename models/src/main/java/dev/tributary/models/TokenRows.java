package dev.tributary.models;

import ai.djl.pytorch.engine.PtNDArray;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// Hands the inputs of one batch's layers to a watcher: takes the rows of padding out, and
/// normalises what a norm reads.
final class TokenRows implements LayerTap {
    private static final long ALIGNMENT = 64;

    private final ForwardArchitecture architecture;
    private final Batch whole;
    private final LayerWatcher watcher;

    TokenRows(ForwardArchitecture architecture, Batch batch, LayerWatcher watcher) {
        this.architecture = architecture;
        this.whole = batch;
        this.watcher = watcher;
    }

    @Override
    public void linear(String weight, PtNDArray input) {
        List<String> readers =
                architecture.blocks().stream()
                        .map(Block::names)
                        .filter(names -> names.getFirst().equals(weight))
                        .findFirst()
                        .orElse(List.of(weight));
        pass(weight, input, rows -> watcher.linear(readers, rows));
    }

    @Override
    public void norm(String scale, PtNDArray input) {
        pass(scale, architecture.normalised(input), rows -> watcher.norm(scale, rows));
    }

    private interface Receiver {
        void take(LayerWatcher.Rows rows);
    }

    /// One row a token where there is one for each, else one row a text.
    private void pass(String weight, PtNDArray input, Receiver receiver) {
        Batch batch = architecture.readBy(weight, whole);
        float[] all = input.toFloatArray();
        int width = Math.toIntExact(input.getShape().get(input.getShape().dimension() - 1));
        boolean perToken = all.length / width == batch.inputIds().length;
        int count = perToken ? (int) batch.tokens() : batch.rows();
        try (Arena arena = Arena.ofConfined()) {
            long bytes = (long) width * Float.BYTES;
            MemorySegment rows = arena.allocate(count * bytes, ALIGNMENT);
            MemorySegment from = MemorySegment.ofArray(all);
            long next = 0;
            for (int row = 0; row < all.length / width; row++) {
                if (!perToken || batch.attentionMask()[row] != 0) {
                    MemorySegment.copy(from, row * bytes, rows, next, bytes);
                    next += bytes;
                }
            }
            receiver.take(new LayerWatcher.Rows(count, width, rows));
        }
    }
}
