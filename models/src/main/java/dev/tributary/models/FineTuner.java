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
import org.jspecify.annotations.Nullable;

/// Makes an expert: fine-tunes a base on one task and writes what comes out as a checkpoint
/// `transformers` opens: an encoder as `BertForSequenceClassification` or the like, a model that
/// generates as what it was.
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
        new ExpertFolder(target).refuseIfThere();
        try (Checkpoint checkpoint = Checkpoint.open(base);
                RunningModel model = RunningModel.open(checkpoint);
                InputReader reader = opened(model.config(), task, checkpoint);
                Scorer scorer = Scorer.open(task, validation, base)) {
            if (task.generation() != null && reader instanceof TextTokenizer tokenizer) {
                Lessons lessons = Lessons.ofTexts(model, tokenizer, task, examples);
                return run(model, null, scorer, lessons, checkpoint, task, target);
            }
            try (Head head = model.freshHead(task.labels().size(), settings.seed())) {
                Lessons lessons =
                        Lessons.ofLabels(
                                reader.read(examples, model.config().tokensFor(task)),
                                task.labelIds(examples));
                return run(model, head, scorer, lessons, checkpoint, task, target);
            }
        }
    }

    private FineTuned run(
            RunningModel model,
            @Nullable Head head,
            Scorer scorer,
            Lessons lessons,
            Checkpoint base,
            TaskDefinition task,
            Path target) {
        try (FineTuningRun run = new FineTuningRun(model, head, settings, lessons)) {
            FineTuned result = run.train(target, () -> scorer.score(model, head).value(), progress);
            new ExpertFolder(target).write(base, model, head, task.labels());
            return result;
        }
    }

    private static InputReader opened(
            ModelConfig config, TaskDefinition task, Checkpoint checkpoint) {
        refuseUnlessFits(config, task);
        return InputReader.open(checkpoint);
    }

    /// The labels of what is trained from are of no account: it gets a head of its own.
    private static void refuseUnlessFits(ModelConfig config, TaskDefinition task) {
        List<Fault> faults = task.kindFaults(config, config.architecture());
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
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
