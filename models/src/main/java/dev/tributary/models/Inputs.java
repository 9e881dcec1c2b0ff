package dev.tributary.models;

import java.util.List;

/// What a model reads, as token ids from which batches are made in any order.
public interface Inputs {
    /// How many there are.
    int size();

    /// Tokens of one input.
    int length(int item);

    /// These inputs as a batch, in this order.
    Batch batch(int... items);

    /// All inputs in groups of similar length, so that little is padded: what to compute together
    /// where order does not matter. Each group's numbers say whose outputs its rows are.
    ///
    /// @param rows inputs a group, at most
    List<int[]> byLength(int rows);

    /// How many answers of the model an input has: one for a text that is classified, one for every
    /// token of an answer that is generated.
    default int answers(int item) {
        return 1;
    }
}
