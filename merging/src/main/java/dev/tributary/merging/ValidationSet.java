package dev.tributary.merging;

import dev.tributary.models.Example;
import dev.tributary.models.Split;
import dev.tributary.models.TaskDefinition;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.RefusedException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/// The labelled examples by which a scale is chosen. No optimiser and no statistic sees them.
///
/// @param task their task
/// @param examples a sample of its validation file
record ValidationSet(TaskDefinition task, List<Example> examples) {
    ValidationSet {
        examples = List.copyOf(examples);
    }

    /// Reads a sample of a task's validation file.
    ///
    /// @throws RefusedException where there are none or they cannot be read
    static ValidationSet read(Path definition, int items) {
        TaskDefinition task = TaskDefinition.read(definition);
        return new ValidationSet(task, task.sample(Split.VALIDATION, items));
    }

    /// Each text and label with its length before it, so that no two lists read the same.
    Digest digest() {
        StringBuilder text = new StringBuilder("validation\n");
        for (Example example : examples) {
            append(text, example.text());
            append(text, Optional.ofNullable(example.textPair()).orElse("\0"));
            append(text, String.valueOf(example.label()));
        }
        return Digest.ofText(text.toString());
    }

    private static void append(StringBuilder text, String part) {
        text.append(part.length()).append(':').append(part).append('\n');
    }
}
