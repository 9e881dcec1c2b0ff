package dev.tributary.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tributary.models.FineTuned;
import dev.tributary.models.FineTuner;
import dev.tributary.models.FineTuning;
import dev.tributary.models.TaskDefinition;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Makes an expert: fine-tunes a base on a task.
@Command(
        name = "finetune",
        mixinStandardHelpOptions = true,
        description = {
            "Fine-tunes a base model on a task's training split (AdamW, warm-up, early stop on the"
                    + " validation score) and writes a Hugging Face directory.",
        },
        footerHeading = "%nExamples:%n",
        footer =
                "  tributary finetune --base models/minilm --task examples/tasks/sentiment_uci --out"
                        + " experts/sentiment")
final class FinetuneCommand implements Callable<Integer> {
    @Mixin OutputOption output = new OutputOption();

    @Option(
            names = "--base",
            required = true,
            paramLabel = "DIR",
            description = "Hugging Face directory of the base.")
    @Nullable Path base;

    @Option(
            names = "--task",
            required = true,
            paramLabel = "FILE",
            description = "Task file (YAML) or task folder.")
    @Nullable Path task;

    @Option(
            names = "--out",
            required = true,
            paramLabel = "DIR",
            description = "Directory to write; it must not exist.")
    @Nullable Path out;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the training examples, at most (default: 3).")
    @Nullable Integer epochs;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description = "Examples a step (default: 32).")
    @Nullable Integer batchSize;

    @Option(
            names = "--learning-rate",
            paramLabel = "RATE",
            description = "Highest learning rate of the encoder (default: 8e-5).")
    @Nullable Double learningRate;

    @Option(
            names = "--head-learning-rate",
            paramLabel = "RATE",
            description = "Highest learning rate of what is new (default: 1e-3).")
    @Nullable Double headLearningRate;

    @Option(
            names = "--max-examples",
            paramLabel = "N",
            description = "Training examples used, at most (default: all).")
    @Nullable Integer maxExamples;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Order of the examples and start of what is new (default: 17).")
    @Nullable Long seed;

    @Option(
            names = "--train-embeddings",
            description =
                    "Train the embeddings too; without it experts differ in their layers only.")
    boolean trainEmbeddings;

    @Override
    public Integer call() {
        TaskDefinition definition = TaskDefinition.read(Objects.requireNonNull(task));
        Terminal terminal = Terminal.beside();
        String label = "fine-tuning " + definition.name();
        FineTuned tuned =
                new FineTuner(
                                settings(),
                                at ->
                                        terminal.progress(
                                                label,
                                                String.format(Locale.ROOT, "loss %.3f", at.loss()),
                                                at.step(),
                                                at.steps()))
                        .run(Objects.requireNonNull(base), definition, Objects.requireNonNull(out));
        terminal.forget(label);
        print(definition, tuned);
        return 0;
    }

    private FineTuning settings() {
        FineTuning settings = FineTuning.defaults();
        if (epochs != null) {
            settings = settings.withEpochs(epochs);
        }
        if (batchSize != null) {
            settings = settings.withBatchSize(batchSize);
        }
        if (learningRate != null || headLearningRate != null) {
            settings =
                    settings.withLearningRates(
                            learningRate == null ? settings.learningRate() : learningRate,
                            headLearningRate == null
                                    ? settings.headLearningRate()
                                    : headLearningRate);
        }
        if (maxExamples != null) {
            settings = settings.withMaxExamples(maxExamples);
        }
        if (seed != null) {
            settings = settings.withSeed(seed);
        }
        return settings.withFrozenEmbeddings(!trainEmbeddings);
    }

    private void print(TaskDefinition definition, FineTuned tuned) {
        double seconds = tuned.elapsed().toMillis() / 1000.0;
        if (output.json()) {
            ObjectNode json = JsonNodeFactory.instance.objectNode();
            json.put("checkpoint", tuned.checkpoint().toString());
            json.put("task", definition.name());
            json.put("metric", definition.metric().id());
            json.put("validation", tuned.validation());
            var epochScores = json.putArray("epochScores");
            tuned.epochScores().forEach(epochScores::add);
            json.put("steps", tuned.steps());
            json.put("tokens", tuned.tokens());
            json.put("seconds", seconds);
            System.out.println(OutputOption.pretty(json));
        } else {
            System.out.println(
                    String.format(
                            Locale.ROOT,
                            "%s: validation %s %.4f after %d steps in %.1f s, written to %s",
                            definition.name(),
                            definition.metric().id(),
                            tuned.validation(),
                            tuned.steps(),
                            seconds,
                            tuned.checkpoint()));
        }
    }
}
