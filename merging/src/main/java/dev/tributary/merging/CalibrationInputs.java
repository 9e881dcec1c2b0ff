package dev.tributary.merging;

import dev.tributary.models.Batch;
import dev.tributary.models.TokenizedTexts;
import java.util.List;

/// The calibration inputs of one task as token ids, from which batches are made.
interface CalibrationInputs {
    int size();

    /// Tokens of one input.
    int length(int item);

    /// These inputs as a batch, in this order.
    Batch batch(int... items);

    /// All inputs in groups of similar length, so that little is padded.
    List<int[]> byLength(int rows);

    static CalibrationInputs of(TokenizedTexts texts) {
        return new CalibrationInputs() {
            @Override
            public int size() {
                return texts.size();
            }

            @Override
            public int length(int item) {
                return texts.length(item);
            }

            @Override
            public Batch batch(int... items) {
                return texts.batch(items);
            }

            @Override
            public List<int[]> byLength(int rows) {
                return texts.byLength(rows);
            }
        };
    }
}
