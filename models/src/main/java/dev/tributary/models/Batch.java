package dev.tributary.models;

/// Token ids of several texts as one rectangle, padded on the right to the longest.
///
/// Row-major; the arrays are the batch's own and are not to be changed.
public final class Batch {
    private final int rows;
    private final int length;
    private final long[] inputIds;
    private final long[] attentionMask;
    private final long[] tokenTypeIds;

    /// @param rows how many texts
    /// @param length tokens a row, padding included
    /// @param inputIds the tokens, `rows * length`
    /// @param attentionMask 1 where there is a token, 0 where there is padding
    /// @param tokenTypeIds 0 for the first text of a pair, 1 for the second
    public Batch(int rows, int length, long[] inputIds, long[] attentionMask, long[] tokenTypeIds) {
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
