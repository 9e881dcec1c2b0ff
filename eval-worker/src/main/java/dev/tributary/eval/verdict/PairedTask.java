package dev.tributary.eval.verdict;

import dev.tributary.eval.verdict.TaskResult.Scored;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// A task on which two generations answered the same items.
///
/// @param championScore score of the earlier one
/// @param outcome what became of the items
record PairedTask(String task, double championScore, PairedOutcome outcome) {

    /// The tasks that can be paired: both scored, on the same items.
    static List<PairedTask> of(List<TaskResult> challenger, Map<String, TaskResult> champion) {
        List<PairedTask> paired = new ArrayList<>();
        for (TaskResult result : challenger) {
            if (result instanceof Scored now
                    && champion.get(now.task()) instanceof Scored before
                    && now.itemsDigest().equals(before.itemsDigest())
                    && now.items() == before.items()) {
                paired.add(
                        new PairedTask(
                                now.task(), before.score(), now.correct().since(before.correct())));
            }
        }
        return paired;
    }

    /// All items of all these tasks together.
    static PairedOutcome pool(List<PairedTask> tasks) {
        return tasks.stream()
                .map(PairedTask::outcome)
                .reduce(PairedOutcome.NONE, PairedOutcome::plus);
    }
}
