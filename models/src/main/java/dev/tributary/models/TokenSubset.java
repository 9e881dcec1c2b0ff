package dev.tributary.models;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.stream.LongStream;

/// The tokens a model will be asked about, where all inputs are known beforehand. Of its word
/// embeddings such a model holds their rows only: half of a small encoder is embeddings, and a few
/// dozen calibration inputs use a tenth of them.
public final class TokenSubset {
    private final long[] ids;

    private TokenSubset(long[] sortedIds) {
        this.ids = sortedIds;
    }

    /// Every token of these texts, and the one that stands for padding in a batch.
    public static TokenSubset of(Collection<TokenizedTexts> texts) {
        LongStream all = texts.stream().flatMapToLong(TokenizedTexts::tokens);
        return new TokenSubset(
                LongStream.concat(LongStream.of(TokenizedTexts.PADDING), all)
                        .distinct()
                        .sorted()
                        .toArray());
    }

    /// How many there are.
    public int size() {
        return ids.length;
    }

    /// Where the row of a token is held.
    long place(long id) {
        int place = Arrays.binarySearch(ids, id);
        if (place < 0) {
            throw new IllegalArgumentException(
                    "[token %d] is not among the %d the model was opened for"
                            .formatted(id, ids.length));
        }
        return place;
    }

    long[] places(long[] tokens) {
        return Arrays.stream(tokens).map(this::place).toArray();
    }

    /// Rows that follow each other in the whole table and are therefore held together.
    List<HeldStretch> rows() {
        List<HeldStretch> runs = new ArrayList<>();
        int start = 0;
        for (int i = 1; i <= ids.length; i++) {
            if (i == ids.length || ids[i] != ids[i - 1] + 1) {
                runs.add(new HeldStretch(ids[start], start, i - start));
                start = i;
            }
        }
        return runs;
    }
}
