package dev.tributary.models;

import dev.tributary.tensors.Checkpoint;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/// Makes an expert: fine-tunes a base encoder on one task and writes the classifier that comes out
/// as a checkpoint `transformers` opens as `BertForSequenceClassification`.
public final class FineTuner {
    private final FineTuning settings;
    private final Consumer<FineTuningProgress> progress;

    /// @param progress told after every step, on the thread that trains
    public FineTuner(FineTuning settings, Consumer<FineTuningProgress> progress) {
        this.settings = settings;
        this.progress = progress;
    }

    /// Trains on the task's training examples.
    ///
    /// @param base folder of the base checkpoint
    /// @param target folder of the expert; appears when it is complete
    public FineTuned run(Path base, TaskDefinition task, Path target) {
        return run(base, task, task.examples(Split.TRAIN), target);
    }

    /// Trains on examples of the caller's, and keeps the weights that do best on the task's
    /// validation examples.
    public FineTuned run(Path base, TaskDefinition task, List<Example> train, Path target) {
        if (train.isEmpty()) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_TASK,
                            "task %s".formatted(task.name()),
                            "no training examples, expected some"));
        }
        List<Example> examples = sample(train);
        List<Example> validation = task.examples(Split.VALIDATION);
        ExpertFolder folder = new ExpertFolder(target);
        folder.refuseIfThere();
        try (Checkpoint checkpoint = Checkpoint.open(base);
                RunningModel model = RunningModel.open(checkpoint);
                TextTokenizer tokenizer = TextTokenizer.open(base);
                Head head = model.freshHead(task.labels().size(), settings.seed());
                FineTuningRun run =
                        new FineTuningRun(
                                model,
                                head,
                                settings,
                                tokenizer.tokenize(examples, model.config().tokensFor(task)),
                                task.labelIds(examples))) {
            TokenizedTexts texts = tokenizer.tokenize(validation, model.config().tokensFor(task));
            int[] expected = task.labelIds(validation);
            FineTuned result =
                    run.train(
                            target,
                            () ->
                                    Scorer.score(
                                                    model,
                                                    head,
                                                    texts,
                                                    expected,
                                                    task.labels(),
                                                    task.metric())
                                            .value(),
                            progress);
            folder.write(checkpoint, model, head, task.labels());
            return result;
        }
    }

    private List<Example> sample(List<Example> train) {
        if (train.size() <= settings.maxExamples()) {
            return train;
        }
        List<Example> shuffled = new ArrayList<>(train);
        Collections.shuffle(shuffled, new Random(settings.seed()));
        return shuffled.subList(0, settings.maxExamples());
    }
}
