package dev.tributary.eval.tally;

import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.Verdict;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;

/// A generation whose verdict is known, with the results it rests on.
///
/// @param number its number within the pool
/// @param id its content's id
/// @param results its results, one a task
/// @param anp mean retention over the tasks
/// @param verdict what was concluded
public record JudgedGeneration(
        long number, String id, List<TaskResult> results, OptionalDouble anp, Verdict verdict) {

    public JudgedGeneration {
        results = List.copyOf(results);
    }

    Map<String, TaskResult> byTask() {
        Map<String, TaskResult> byTask = new TreeMap<>();
        results.forEach(result -> byTask.put(result.task(), result));
        return byTask;
    }
}
