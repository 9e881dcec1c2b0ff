package dev.tributary.models;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Token ids of several texts as one rectangle, padded to the longest; or images.
///
/// Row-major; the arrays are the batch's own and are not to be changed.
public final class Batch {
    private final int rows;
    private final int length;
    private final long[] inputIds;
    private final long[] attentionMask;
    private final long[] tokenTypeIds;
    private final int @Nullable [] positions;
    private final @Nullable Batch answers;
    private final @Nullable Images images;

    /// @param rows how many texts
    /// @param length tokens a row, padding included
    /// @param inputIds the tokens, `rows * length`
    /// @param attentionMask 1 where there is a token, 0 where there is padding
    /// @param tokenTypeIds 0 for the first text of a pair, 1 for the second
    public Batch(int rows, int length, long[] inputIds, long[] attentionMask, long[] tokenTypeIds) {
        this(rows, length, inputIds, attentionMask, tokenTypeIds, null, null, null);
    }

    private Batch(
            int rows,
            int length,
            long[] inputIds,
            long[] attentionMask,
            long[] tokenTypeIds,
            int @Nullable [] positions,
            @Nullable Batch answers,
            @Nullable Images images) {
        long cells = Math.multiplyExact((long) rows, (long) length);
        if (rows < 1 || length < 1) {
            throw new IllegalArgumentException("batch of %d x %d tokens".formatted(rows, length));
        }
        if (inputIds.length != cells
                || attentionMask.length != cells
                || tokenTypeIds.length != cells) {
            throw new IllegalArgumentException(
                    "batch of %d x %d tokens has %d ids, %d mask values, %d token types"
                            .formatted(
                                    rows,
                                    length,
                                    inputIds.length,
                                    attentionMask.length,
                                    tokenTypeIds.length));
        }
        this.rows = rows;
        this.length = length;
        this.inputIds = inputIds;
        this.attentionMask = attentionMask;
        this.tokenTypeIds = tokenTypeIds;
        this.positions = positions;
        this.answers = answers;
        this.images = images;
    }

    /// The same tokens, of which a language model is asked at these positions alone what follows.
    ///
    /// @param wanted places in [#inputIds]
    public Batch at(int... wanted) {
        return new Batch(
                rows, length, inputIds, attentionMask, tokenTypeIds, wanted, answers, images);
    }

    /// The same tokens, with what the decoder of an encoder-decoder reads.
    public Batch answeredBy(Batch decoded) {
        return new Batch(
                rows, length, inputIds, attentionMask, tokenTypeIds, positions, decoded, images);
    }

    /// One token a row, the same for all.
    static Batch ofTokens(int rows, long token) {
        long[] tokens = new long[rows];
        Arrays.fill(tokens, token);
        return ofTokens(tokens);
    }

    /// One token a row.
    static Batch ofTokens(long[] tokens) {
        long[] seen = new long[tokens.length];
        Arrays.fill(seen, 1);
        return new Batch(tokens.length, 1, tokens, seen, new long[tokens.length]);
    }

    /// Images in the place of texts: rows without tokens of their own.
    public static Batch of(Images images) {
        Batch rows = ofTokens(images.rows(), 0);
        return new Batch(
                rows.rows(),
                1,
                rows.inputIds(),
                rows.attentionMask(),
                rows.tokenTypeIds(),
                null,
                null,
                images);
    }

    /// The images.
    Images images() {
        if (images == null) {
            throw new IllegalStateException("a batch of texts where images are read");
        }
        return images;
    }

    /// What the decoder reads.
    Batch answers() {
        if (answers == null) {
            throw new IllegalStateException("a batch without anything for the decoder to read");
        }
        return answers;
    }

    /// The last position of each row.
    int[] ends() {
        return IntStream.rangeClosed(1, rows).map(row -> row * length - 1).toArray();
    }

    /// The positions a language model is asked at: all, unless said otherwise.
    int[] positions() {
        return positions == null ? IntStream.range(0, rows * length).toArray() : positions;
    }

    public int rows() {
        return rows;
    }

    public int length() {
        return length;
    }

    public long[] inputIds() {
        return inputIds;
    }

    public long[] attentionMask() {
        return attentionMask;
    }

    public long[] tokenTypeIds() {
        return tokenTypeIds;
    }

    /// Tokens without padding.
    public long tokens() {
        long tokens = 0;
        for (long mask : attentionMask) {
            tokens += mask;
        }
        return tokens;
    }
}
