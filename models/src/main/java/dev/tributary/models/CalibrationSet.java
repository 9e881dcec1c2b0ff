package dev.tributary.models;

import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The inputs of one task that an optimiser of merges may see. Of a staged task only the
/// calibration file is opened and of any other one at most the training examples, so nothing
/// optimised can have seen what it will be scored on.
///
/// @param task the task's name
/// @param maxTokens inputs are cut to so many tokens
/// @param inputs the inputs, none with a label
/// @param labelIds their labels, for methods that learn from labels; empty for all others
/// @param generation how a text is asked for; null where one of the labels is chosen
/// @param digest of the calibration file, or of inputs and labels
public record CalibrationSet(
        String task,
        int maxTokens,
        List<Example> inputs,
        List<Integer> labelIds,
        @Nullable TextGeneration generation,
        Digest digest) {

    public CalibrationSet {
        inputs = inputs.stream().map(Example::unlabelled).toList();
        labelIds = List.copyOf(labelIds);
        if (!labelIds.isEmpty() && labelIds.size() != inputs.size()) {
            throw new IllegalArgumentException(
                    "[%s] %d labels for %d inputs".formatted(task, labelIds.size(), inputs.size()));
        }
    }

    /// Inputs without labels.
    public static CalibrationSet unlabelled(
            TaskDefinition task, List<Example> inputs, Digest digest) {
        return new CalibrationSet(
                task.name(), task.maxTokens(), inputs, List.of(), task.generation(), digest);
    }

    /// Training examples of a task with their labels, in an order that never changes.
    ///
    /// @param items at most how many
    /// @throws RefusedException where there are none or they cannot be read
    public static CalibrationSet labelled(TaskDefinition task, int items) {
        if (task.kind() == TaskKind.GENERATION) {
            throw new RefusedException(
                    new Fault(
                            FailureCode.BAD_TASK,
                            "task %s".formatted(task.name()),
                            "generates texts, expected labels to learn from: set labels to predicted"
                                    + " to take the expert's own answers"));
        }
        List<Example> examples = task.sample(Split.TRAIN, items);
        List<Integer> ids = Arrays.stream(task.labelIds(examples)).boxed().toList();
        StringBuilder text = new StringBuilder("labelled\n");
        for (int i = 0; i < examples.size(); i++) {
            Example example = examples.get(i);
            append(text, example.text());
            append(text, Optional.ofNullable(example.textPair()).orElse("\0"));
            text.append(ids.get(i)).append('\n');
        }
        return new CalibrationSet(
                task.name(), task.maxTokens(), examples, ids, null, Digest.ofText(text.toString()));
    }

    private static void append(StringBuilder text, String part) {
        text.append(part.length()).append(':').append(part).append('\n');
    }

    /// Reads the calibration inputs of a task that [TaskDefinition#stage] has written.
    ///
    /// @throws RefusedException where there are none or they cannot be read
    public static CalibrationSet read(Path stagedFolder) {
        TaskDefinition definition = TaskDefinition.readStaged(stagedFolder);
        Path file = stagedFolder.resolve(TaskFolder.CALIBRATION);
        List<Fault> faults = new ArrayList<>();
        List<Example> inputs =
                definition
                        .exampleFile(file)
                        .read(FailureCode.CALIBRATION_UNREADABLE, false, faults);
        if (faults.isEmpty() && inputs.isEmpty()) {
            faults.add(
                    new Fault(
                            FailureCode.CALIBRATION_EMPTY,
                            file.toString(),
                            "no inputs, expected one JSON object a line with a 'text'"));
        }
        if (!faults.isEmpty()) {
            throw new RefusedException(faults);
        }
        return unlabelled(definition, inputs, Digest.of(file));
    }
}
