package dev.tributary.models;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Texts as token ids, from which batches are made in any order.
public final class TokenizedTexts implements Inputs {
    /// What fills a row of a batch behind its text.
    static final long PADDING = 0;

    private final long[][] ids;
    private final long[][] types;

    TokenizedTexts(long[][] ids, long[][] types) {
        this.ids = ids;
        this.types = types;
    }

    @Override
    public int size() {
        return ids.length;
    }

    @Override
    public int length(int text) {
        return ids[text].length;
    }

    /// The tokens of one text.
    long[] ids(int text) {
        return ids[text];
    }

    /// The tokens of all texts, one after the other.
    LongStream tokens() {
        return Arrays.stream(ids).flatMapToLong(Arrays::stream);
    }

    /// Padded on the right to the longest of them.
    @Override
    public Batch batch(int... texts) {
        return batch(false, texts);
    }

    /// These texts as a batch, in this order, padded on the left, so that all end together and can
    /// be gone on with.
    public Batch endingTogether(int... texts) {
        return batch(true, texts);
    }

    private Batch batch(boolean padLeft, int... texts) {
        int length = Arrays.stream(texts).map(this::length).max().orElse(0);
        long[] inputIds = new long[texts.length * length];
        Arrays.fill(inputIds, PADDING);
        long[] mask = new long[inputIds.length];
        long[] tokenTypes = new long[inputIds.length];
        for (int row = 0; row < texts.length; row++) {
            long[] tokens = ids[texts[row]];
            int start = row * length + (padLeft ? length - tokens.length : 0);
            System.arraycopy(tokens, 0, inputIds, start, tokens.length);
            System.arraycopy(types[texts[row]], 0, tokenTypes, start, tokens.length);
            Arrays.fill(mask, start, start + tokens.length, 1);
        }
        return new Batch(texts.length, length, inputIds, mask, tokenTypes);
    }

    @Override
    public List<int[]> byLength(int rows) {
        int[] sorted =
                IntStream.range(0, size())
                        .boxed()
                        .sorted(Comparator.comparingInt(this::length).reversed())
                        .mapToInt(Integer::intValue)
                        .toArray();
        List<int[]> groups = new ArrayList<>();
        for (int start = 0; start < sorted.length; start += rows) {
            groups.add(Arrays.copyOfRange(sorted, start, Math.min(sorted.length, start + rows)));
        }
        return groups;
    }
}
