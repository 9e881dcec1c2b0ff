package dev.tributary.models;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;

/// What a model is fine-tuned on.
///
/// @param inputs what it reads
/// @param expected the labels or tokens these inputs shall be answered with, row by row of the
///   model's outputs
record Lessons(Inputs inputs, UnaryOperator<int[]> expected) {

    /// Texts or images with a label each.
    static Lessons ofLabels(Inputs inputs, int[] labels) {
        return new Lessons(
                inputs, items -> Arrays.stream(items).map(item -> labels[item]).toArray());
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
        return new Lessons(texts, texts::tokens);
    }
}
