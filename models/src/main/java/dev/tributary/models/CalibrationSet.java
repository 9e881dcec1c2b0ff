package dev.tributary.models;

import dev.tributary.tensors.Digest;
import dev.tributary.tensors.FailureCode;
import dev.tributary.tensors.Fault;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// The unlabelled inputs of one task that an optimiser of merges may see. It is read from a staged
/// task's calibration file and opens no other file of examples, so nothing optimised can have seen
/// what it will be scored on.
///
/// @param task the task's name
/// @param maxTokens inputs are cut to so many tokens
/// @param inputs the inputs, none with a label
/// @param digest of the calibration file
public record CalibrationSet(String task, int maxTokens, List<Example> inputs, Digest digest) {

    public CalibrationSet {
        inputs = inputs.stream().map(Example::unlabelled).toList();
    }

    /// Reads the calibration inputs of a task that [TaskDefinition#stage] has written.
    ///
    /// @throws RefusedException where there are none or they cannot be read
    public static CalibrationSet read(Path stagedFolder) {
        TaskDefinition definition = TaskDefinition.readStaged(stagedFolder);
        Path file = stagedFolder.resolve(TaskFolder.CALIBRATION);
        List<Fault> faults = new ArrayList<>();
        List<Example> inputs =
                new ExampleFile(file, definition.labels())
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
        return new CalibrationSet(
                definition.name(), definition.maxTokens(), inputs, Digest.of(file));
    }
}
