package dev.tributary.models;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/// What came out of a fine-tuning run.
///
/// @param checkpoint folder of the expert
/// @param validation the score of the weights kept, on the task's validation examples
/// @param epochScores the validation score after each epoch
/// @param steps taken
/// @param tokens trained on, padding included
/// @param elapsed from the first step to the last, validation included
public record FineTuned(
        Path checkpoint,
        double validation,
        List<Double> epochScores,
        int steps,
        long tokens,
        Duration elapsed) {

    public FineTuned {
        epochScores = List.copyOf(epochScores);
    }
}
