package dev.tributary.tensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ContentSumTest {
    private static final long ELEMENTS = ContentSum.BLOCK + 5L;
    private static final TensorInfo TENSOR =
            new TensorInfo("a", Dtype.BF16, List.of(ELEMENTS), 0, 2 * ELEMENTS);

    private final Arena arena = Arena.ofConfined();
    private final MemorySegment bytes = arena.allocate(2 * ELEMENTS);

    @AfterEach
    void free() {
        arena.close();
    }

    @Test
    void theOrderAndTheCutOfBlocksChangeNothing() {
        ContentSum whole = new ContentSum(List.of(TENSOR));
        add(whole, 0, ContentSum.BLOCK, ContentSum.BLOCK);
        add(whole, ContentSum.BLOCK, 5, 5);
        ContentSum pieces = new ContentSum(List.of(TENSOR));
        add(pieces, ContentSum.BLOCK, 5, 2);
        add(pieces, 0, ContentSum.BLOCK, 1000);

        assertThat(pieces.digest()).isEqualTo(whole.digest());
    }

    @Test
    void anyBitChangesTheDigest() {
        Digest before = digest();
        bytes.set(ValueLayout.JAVA_BYTE, 2 * ELEMENTS - 1, (byte) 0x80);

        assertThat(digest()).isNotEqualTo(before);
    }

    @Test
    void aBlockThatWasNeverMetIsNoticed() {
        ContentSum sum = new ContentSum(List.of(TENSOR));
        add(sum, 0, ContentSum.BLOCK, ContentSum.BLOCK);

        assertThatThrownBy(sum::digest).hasMessageContaining("block 1 of 'a'");
    }

    @Test
    void completingReadsWhatWasNotMet() {
        try (Checkpoint checkpoint = Checkpoint.open(Fixtures.path("bert_cls"))) {
            ContentSum read = new ContentSum(checkpoint.tensors().values());
            ContentSum met = new ContentSum(checkpoint.tensors().values());
            read.complete(checkpoint);
            for (String name : checkpoint.tensors().keySet()) {
                MemorySegment data = checkpoint.data(name);
                if (data.byteSize() <= ContentSum.BLOCK) {
                    ContentSum.Block block = met.begin(name, 0);
                    block.update(data);
                    block.end();
                }
            }
            met.complete(checkpoint);

            assertThat(met.digest()).isEqualTo(read.digest());
        }
    }

    private Digest digest() {
        ContentSum sum = new ContentSum(List.of(TENSOR));
        add(sum, 0, ContentSum.BLOCK, ContentSum.BLOCK);
        add(sum, ContentSum.BLOCK, 5, 5);
        return sum.digest();
    }

    private void add(ContentSum sum, long from, int count, int piece) {
        ContentSum.Block block = sum.begin("a", from);
        for (int at = 0; at < count; at += piece) {
            block.update(bytes.asSlice(2 * (from + at), 2L * Math.min(piece, count - at)));
        }
        block.end();
    }
}
