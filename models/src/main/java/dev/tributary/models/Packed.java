package dev.tributary.models;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/// Several batches whose tokens lie one after the other, `[tokens, width]`: a layer that treats
/// every token alike runs over all of them at once, and none is padded to the longest of another
/// batch. Only attention, which looks at other tokens of the same text, takes them apart.
///
/// @param batches in the order in which their tokens lie
record Packed(List<Batch> batches) {

    static Packed of(Batch batch) {
        return new Packed(List.of(batch));
    }

    static Packed of(List<Batch> batches) {
        return new Packed(List.copyOf(batches));
    }

    /// Tokens, padding included.
    static long cells(Batch batch) {
        return (long) batch.rows() * batch.length();
    }

    /// A number of every token.
    long[] join(Function<Batch, long[]> numbers) {
        return batches.stream().map(numbers).flatMapToLong(Arrays::stream).toArray();
    }

    /// Each batch's attention mask, null where it has no padding.
    List<@Nullable PtNDArray> masks(PtNDManager manager) {
        List<@Nullable PtNDArray> masks = new ArrayList<>(batches.size());
        for (Batch batch : batches) {
            masks.add(AttentionMask.padding(manager, batch));
        }
        return masks;
    }

    /// Takes a row for each token apart by batch.
    NDList byToken(PtNDArray rows) {
        return split(rows, batches.stream().mapToLong(Packed::cells));
    }

    /// Takes a row for each text apart by batch.
    NDList byText(PtNDArray rows) {
        return split(rows, batches.stream().mapToLong(Batch::rows));
    }

    private static NDList split(PtNDArray rows, LongStream sizes) {
        long[] ends = sizes.toArray();
        Arrays.parallelPrefix(ends, Long::sum);
        if (ends.length == 1) {
            return new NDList(rows);
        }
        return rows.split(Arrays.copyOf(ends, ends.length - 1), 0);
    }

    /// Each text's first token's row.
    PtNDArray firstTokens(PtNDArray tokens) {
        NDList parts = byToken(tokens);
        NDList first = new NDList();
        for (int i = 0; i < parts.size(); i++) {
            Batch batch = batches.get(i);
            NDArray texts = parts.get(i).reshape(batch.rows(), batch.length(), -1);
            first.add(texts.get(new NDIndex(":, 0")));
        }
        return concat(first);
    }

    /// One after the other.
    static PtNDArray concat(NDList parts) {
        return (PtNDArray) (parts.size() == 1 ? parts.getFirst() : NDArrays.concat(parts, 0));
    }
}
