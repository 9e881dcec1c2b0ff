package dev.tributary.models;

import java.util.List;
import java.util.Objects;

/// What a model is fine-tuned on: inputs, and for each the labels or tokens it shall answer.
interface Lessons {
    /// How many inputs.
    int size();

    /// Tokens of one input.
    int length(int item);

    /// These inputs as a batch, in this order.
    Batch batch(int... items);

    /// What shall be answered to them, row by row of the model's outputs.
    int[] expected(int... items);

    /// Texts with a label each.
    static Lessons ofLabels(TokenizedTexts texts, int[] labels) {
        return new Lessons() {
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
            public int[] expected(int... items) {
                return java.util.Arrays.stream(items).map(item -> labels[item]).toArray();
            }
        };
    }

    /// Prompts with the texts they shall be answered with. The loss is over the answers' tokens
    /// alone, their end included.
    static Lessons ofTexts(
            RunningModel model,
            TextTokenizer tokenizer,
            TaskDefinition task,
            List<Example> examples) {
        TextGeneration generation = task.generating();
        List<String> wanted =
                examples.stream()
                        .map(e -> Objects.requireNonNull(e.label(), "an example without an answer"))
                        .toList();
        AnsweredTexts texts =
                model.answered(
                        tokenizer.prompts(generation, examples, model.config().tokensFor(task)),
                        tokenizer.answers(generation, wanted, model.endTokens()));
        return new Lessons() {
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
            public int[] expected(int... items) {
                return texts.tokens(items);
            }
        };
    }
}
