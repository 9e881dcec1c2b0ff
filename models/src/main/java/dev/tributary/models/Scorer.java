package dev.tributary.models;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Asks models for the answers to a task's examples and compares them with the right ones. The
/// examples are tokenized once, however many models are asked.
public final class Scorer implements AutoCloseable {
    private static final int ROWS = 32;
    private static final int ROWS_ANSWERED = 16;

    private final TaskDefinition task;
    private final List<Example> examples;
    private final InputReader reader;
    private final Inputs inputs;

    private Scorer(TaskDefinition task, List<Example> examples, InputReader reader, Inputs inputs) {
        this.task = task;
        this.examples = List.copyOf(examples);
        this.reader = reader;
        this.inputs = inputs;
    }

    /// For models that read alike: with a tokenizer and a limit of tokens, or an image processor,
    /// in common.
    ///
    /// @param examples with the right answers
    /// @param checkpoint folder of one of these models
    public static Scorer open(TaskDefinition task, List<Example> examples, Path checkpoint) {
        int most;
        InputReader reader;
        try (Checkpoint opened = Checkpoint.open(checkpoint)) {
            String where = checkpoint + "/config.json";
            most = ModelConfig.of(opened.config(), where).tokensFor(task);
            reader = InputReader.open(opened);
        }
        try {
            TextGeneration generation = task.generation();
            Inputs inputs =
                    generation != null && reader instanceof TextTokenizer tokenizer
                            ? tokenizer.prompts(generation, examples, most)
                            : reader.read(examples, most);
            return new Scorer(task, examples, reader, inputs);
        } catch (RuntimeException e) {
            reader.close();
            throw e;
        }
    }

    /// Scores a checkpoint on one split of a task.
    ///
    /// @throws RefusedException where it does not fit the task or the examples cannot be read
    public static Scores score(Checkpoint checkpoint, TaskDefinition task, Split split) {
        List<Example> examples = task.examples(split);
        try (RunningModel model = RunningModel.open(checkpoint)) {
            var faults = task.labelFaults(model.config(), checkpoint.directory().toString());
            if (!faults.isEmpty()) {
                throw new RefusedException(faults);
            }
            try (Scorer scorer = open(task, examples, checkpoint.directory())) {
                return scorer.score(model, null);
            }
        }
    }

    /// How many examples.
    public int items() {
        return examples.size();
    }

    /// Scores a running model.
    ///
    /// @param head the task's, or null for the model's own, if any
    public Scores score(RunningModel model, @Nullable Head head) {
        return switch (task.metric()) {
            case LabelMetric metric -> ofLabels(model, head, metric);
            case TextMetric metric when metric == TextMetric.INVERSE_PERPLEXITY ->
                    likelihood(model, metric);
            case TextMetric metric -> ofTexts(generate(model), metric);
        };
    }

    /// Scores a model that generates and has already answered.
    Scores scoreAnswers(RunningModel model, List<long[]> answers) {
        return switch (task.metric()) {
            case TextMetric metric when metric != TextMetric.INVERSE_PERPLEXITY ->
                    ofTexts(answers, metric);
            case LabelMetric _, TextMetric _ -> score(model, null);
        };
    }

    private Scores ofLabels(RunningModel model, @Nullable Head head, LabelMetric metric) {
        int classes = task.labels().size();
        float[] logProbabilities = logProbabilities(model, head, inputs, classes);
        int[] predicted = new int[inputs.size()];
        for (int item = 0; item < predicted.length; item++) {
            predicted[item] = largest(logProbabilities, item * classes, classes);
        }
        return Scores.of(
                task.labels(), predicted, task.labelIds(examples), logProbabilities, metric);
    }

    /// What a model answers, token by token.
    public List<long[]> generate(RunningModel model) {
        return model.generate(prompts(), task.generating().maxNewTokens(), model.endTokens());
    }

    /// The prompts with these answers, as a model reads them.
    public AnsweredTexts answered(RunningModel model, List<long[]> answers) {
        return model.answered(prompts(), answers);
    }

    private TokenizedTexts prompts() {
        if (inputs instanceof TokenizedTexts prompts) {
            return prompts;
        }
        throw new IllegalStateException("[task %s] has no prompts".formatted(task.name()));
    }

    private TextTokenizer tokenizer() {
        if (reader instanceof TextTokenizer tokenizer) {
            return tokenizer;
        }
        throw new IllegalStateException("[task %s] has no texts".formatted(task.name()));
    }

    private Scores ofTexts(List<long[]> generated, TextMetric metric) {
        List<String> answers = generated.stream().map(tokenizer()::text).toList();
        double[] scores = new double[answers.size()];
        for (int item = 0; item < scores.length; item++) {
            scores[item] = metric.score(answers.get(item), reference(item));
        }
        return Scores.of(answers, scores, metric);
    }

    private String reference(int item) {
        return Objects.requireNonNull(examples.get(item).label(), "an example without an answer");
    }

    /// An item's score is the geometric mean of its tokens' probabilities; all tokens count alike
    /// in the whole.
    private Scores likelihood(RunningModel model, TextMetric metric) {
        List<String> references = new ArrayList<>();
        for (int item = 0; item < examples.size(); item++) {
            references.add(reference(item));
        }
        AnsweredTexts answered =
                model.answered(
                        prompts(),
                        tokenizer().answers(task.generating(), references, model.endTokens()));
        double[] logLikelihoods = new double[references.size()];
        int[] tokens = new int[references.size()];
        for (int[] group : answered.byLength(ROWS_ANSWERED)) {
            float[] rows = model.logits(null, answered.batch(group));
            int columns = model.config().vocabulary();
            LogSoftmax.inPlace(rows, rows.length / columns, columns);
            int row = 0;
            for (int item : group) {
                for (int token : answered.tokens(item)) {
                    logLikelihoods[item] += rows[row++ * columns + token];
                }
                tokens[item] = answered.answers(item);
            }
        }
        return Scores.ofLikelihoods(logLikelihoods, tokens, metric);
    }

    /// The log-probabilities a model gives each input's labels, row-major in the order of inputs.
    public static float[] logProbabilities(
            RunningModel model, @Nullable Head head, Inputs inputs, int classes) {
        float[] all = new float[Math.multiplyExact(inputs.size(), classes)];
        for (int[] group : inputs.byLength(ROWS)) {
            float[] rows = model.logits(head, inputs.batch(group));
            if (rows.length != group.length * classes) {
                throw new IllegalArgumentException(
                        "the model tells %d labels apart, expected %d"
                                .formatted(rows.length / group.length, classes));
            }
            LogSoftmax.inPlace(rows, group.length, classes);
            for (int row = 0; row < group.length; row++) {
                System.arraycopy(rows, row * classes, all, group[row] * classes, classes);
            }
        }
        return all;
    }

    private static int largest(float[] values, int start, int count) {
        int largest = 0;
        for (int i = 1; i < count; i++) {
            if (values[start + i] > values[start + largest]) {
                largest = i;
            }
        }
        return largest;
    }

    @Override
    public void close() {
        reader.close();
    }
}
