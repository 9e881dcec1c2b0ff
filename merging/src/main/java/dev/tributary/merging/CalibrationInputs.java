package dev.tributary.merging;

import dev.tributary.models.Batch;
import dev.tributary.models.Inputs;
import java.util.Arrays;
import java.util.List;

/// The calibration inputs of one task as token ids, from which batches are made.
interface CalibrationInputs extends Inputs {

    /// Answers of the inputs before it.
    default int firstAnswer(int item) {
        return item;
    }

    /// How much an input counts beside others. Its answers count alike.
    default double weight(int item) {
        return 1;
    }

    /// Answers of all inputs.
    default int allAnswers() {
        return size() == 0 ? 0 : firstAnswer(size() - 1) + answers(size() - 1);
    }

    /// What some inputs count together.
    default double weight(int[] items) {
        return Arrays.stream(items).mapToDouble(this::weight).sum();
    }

    static CalibrationInputs of(Inputs inputs) {
        int[] first = new int[inputs.size()];
        for (int item = 1; item < first.length; item++) {
            first[item] = first[item - 1] + inputs.answers(item - 1);
        }
        return new CalibrationInputs() {
            @Override
            public int size() {
                return inputs.size();
            }

            @Override
            public int length(int item) {
                return inputs.length(item);
            }

            @Override
            public Batch batch(int... items) {
                return inputs.batch(items);
            }

            @Override
            public List<int[]> byLength(int rows) {
                return inputs.byLength(rows);
            }

            @Override
            public int answers(int item) {
                return inputs.answers(item);
            }

            @Override
            public int firstAnswer(int item) {
                return first[item];
            }
        };
    }
}
