package dev.tributary.tensors;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// Tells the weights of one checkpoint from any others by a CRC-32C of every block of every tensor,
/// taken while the blocks are read or written for another purpose. SHA-256 would be a pass of its
/// own, and a slow one.
///
/// That two different models agree in the checksums of all blocks in which they differ does not
/// happen by chance. It can be brought about on purpose, which SHA-256 excludes: where content
/// comes from others, as in a pool, its [Digest] is taken instead.
///
/// Blocks may be added in any order and by several threads; how a checkpoint is cut into files does
/// not matter.
public final class ContentSum {
    /// Elements in a block.
    public static final int BLOCK = 1 << 16;

    private static final HexFormat HEX = HexFormat.of();

    private final SortedMap<String, TensorSum> tensors = new TreeMap<>();

    /// Knows nothing yet of these tensors' content.
    public ContentSum(Collection<TensorInfo> tensors) {
        for (TensorInfo tensor : tensors) {
            this.tensors.put(tensor.name(), new TensorSum(tensor));
        }
    }

    /// One block on its way: its bytes are to be shown piece by piece, from the first to the last,
    /// before it is [#end]ed.
    public static final class Block {
        private final CRC32C crc = new CRC32C();
        private final TensorSum tensor;
        private final int index;

        private Block(TensorSum tensor, int index) {
            this.tensor = tensor;
            this.index = index;
        }

        /// Takes the next bytes in.
        public void update(MemorySegment bytes) {
            if (bytes.isNative()) {
                // Buffers over memory that is shared and can be freed are counted by all threads,
                // which wait for each other there; one over all memory is not.
                long address = Memory.address(bytes, bytes.byteSize());
                try {
                    crc.update(Memory.ALL.asSlice(address, bytes.byteSize()).asByteBuffer());
                } finally {
                    Reference.reachabilityFence(bytes);
                }
            } else {
                crc.update(bytes.asByteBuffer());
            }
        }

        /// There are no more.
        public void end() {
            tensor.sums.set(index, (int) crc.getValue());
            tensor.known.set(index, 1);
        }
    }

    /// Begins one block of a tensor.
    public Block begin(String tensor, long fromElement) {
        return new Block(of(tensor), Math.toIntExact(fromElement / BLOCK));
    }

    /// Reads what was not met on the way.
    public void complete(Checkpoint checkpoint) {
        tensors.forEach((name, tensor) -> {
            for (int b = 0; b < tensor.sums.length(); b++) {
                if (tensor.known.get(b) == 0) {
                    long from = (long) b * BLOCK;
                    long count = Math.min(BLOCK, tensor.info.elements() - from);
                    int bytes = tensor.info.dtype().bytes();
                    Block block = new Block(tensor, b);
                    block.update(checkpoint.data(name).asSlice(from * bytes, count * bytes));
                    block.end();
                }
            }
        });
    }

    /// The SHA-256 of all tensors' names, dtypes, shapes and checksums.
    public Digest digest() {
        StringBuilder text = new StringBuilder("crc-32c of every ").append(BLOCK).append('\n');
        for (Map.Entry<String, TensorSum> entry : tensors.entrySet()) {
            TensorSum tensor = entry.getValue();
            text.append(entry.getKey().length()).append(':').append(entry.getKey());
            text.append(' ').append(tensor.info.dtype()).append(' ').append(tensor.info.shape());
            for (int b = 0; b < tensor.sums.length(); b++) {
                if (tensor.known.get(b) == 0) {
                    throw new IllegalStateException(
                            "block %d of '%s' was never met".formatted(b, entry.getKey()));
                }
                text.append(' ').append(HEX.toHexDigits(tensor.sums.get(b)));
            }
            text.append('\n');
        }
        return Digest.ofText(text.toString());
    }

    private TensorSum of(String name) {
        @Nullable TensorSum tensor = tensors.get(name);
        if (tensor == null) {
            throw new IllegalArgumentException(
                    "there is no tensor '%s', only %s"
                            .formatted(name, Arrays.toString(tensors.keySet().toArray())));
        }
        return tensor;
    }

    private static final class TensorSum {
        private final TensorInfo info;
        private final AtomicIntegerArray sums;
        private final AtomicIntegerArray known;

        TensorSum(TensorInfo info) {
            this.info = info;
            int blocks = Math.toIntExact((info.elements() + BLOCK - 1) / BLOCK);
            this.sums = new AtomicIntegerArray(blocks);
            this.known = new AtomicIntegerArray(blocks);
        }
    }
}
