package dev.tributary.merging;

import dev.tributary.models.AnsweredTexts;
import dev.tributary.models.Batch;
import dev.tributary.models.TokenizedTexts;
import java.util.Arrays;
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

    /// How many answers of the model an input has: one for a text that is classified, one for every
    /// token of an answer that is generated.
    default int answers(int item) {
        return 1;
    }

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

    /// Prompts with answers; asked at every token of them.
    ///
    /// @param vocabulary scores a token
    static CalibrationInputs of(AnsweredTexts texts, int vocabulary) {
        int[] first = new int[texts.size()];
        for (int item = 1; item < first.length; item++) {
            first[item] = first[item - 1] + texts.answerLength(item - 1);
        }
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
                return texts.byLength(rows, vocabulary);
            }

            @Override
            public int answers(int item) {
                return texts.answerLength(item);
            }

            @Override
            public int firstAnswer(int item) {
                return first[item];
            }
        };
    }

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
