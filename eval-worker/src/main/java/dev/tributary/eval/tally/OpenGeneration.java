package dev.tributary.eval.tally;

import dev.tributary.eval.tally.Generation.Member;
import dev.tributary.eval.verdict.TaskResult;
import dev.tributary.eval.verdict.TaskResult.Failed;
import dev.tributary.eval.verdict.TaskResult.Scored;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/// A generation some of whose tasks may still be without a result.
///
/// @param id its content's id
/// @param generation the generation; empty while only results of it have arrived
/// @param results what has arrived, by task
record OpenGeneration(
        String id, Optional<Generation> generation, SortedMap<String, TaskResult> results) {

    OpenGeneration {
        results = java.util.Collections.unmodifiableSortedMap(new TreeMap<>(results));
    }

    static OpenGeneration of(Generation generation) {
        return new OpenGeneration(generation.id(), Optional.of(generation), new TreeMap<>());
    }

    static OpenGeneration early(String id) {
        return new OpenGeneration(id, Optional.empty(), new TreeMap<>());
    }

    OpenGeneration with(Generation known) {
        return new OpenGeneration(id, Optional.of(known), results);
    }

    /// The first score of a task stays; only a failure gives way to a score.
    OpenGeneration with(TaskResult result) {
        TaskResult before = results.get(result.task());
        if (before instanceof Scored || (before != null && result instanceof Failed)) {
            return this;
        }
        SortedMap<String, TaskResult> more = new TreeMap<>(results);
        more.put(result.task(), result);
        return new OpenGeneration(id, generation, more);
    }

    /// The members without a result.
    List<Member> missing() {
        return generation.stream()
                .flatMap(known -> known.members().stream())
                .filter(member -> !results.containsKey(member.task()))
                .toList();
    }

    boolean complete() {
        return generation.isPresent() && missing().isEmpty();
    }

    /// A result for every member, the missing ones as failures.
    List<TaskResult> allResults(String failureCode, String whyMissing) {
        return generation.stream()
                .flatMap(known -> known.members().stream())
                .map(Member::task)
                .map(task -> results.getOrDefault(task, new Failed(task, failureCode, whyMissing)))
                .toList();
    }
}
