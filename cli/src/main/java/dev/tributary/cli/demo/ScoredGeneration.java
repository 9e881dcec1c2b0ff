package dev.tributary.cli.demo;

import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// A generation with the scores of its members on test data: data neither the optimiser nor the
/// verdict has seen.
///
/// @param number the generation's number in its pool
/// @param members tasks, in order
/// @param damaged whether the damaging checkpoint is among the members
/// @param seconds what the merge took
/// @param reused whether the artifact existed already
/// @param tasks test scores per task
/// @param coefficients per task, one for each layer group
/// @param groups names of the layer groups
record ScoredGeneration(
        long number,
        List<String> members,
        boolean damaged,
        double seconds,
        boolean reused,
        SequencedMap<String, TaskScores> tasks,
        Map<String, List<Double>> coefficients,
        List<String> groups) {

    /// Test scores of one task.
    ///
    /// @param base the base trunk under the expert's head
    /// @param expert the expert itself
    /// @param merged score per merge method
    record TaskScores(double base, double expert, Map<Method, Double> merged) {
        /// Merged score ÷ the expert's own.
        double retention(Method method) {
            return merged.getOrDefault(method, Double.NaN) / expert;
        }
    }

    /// Mean retention over the tasks.
    double anp(Method method) {
        return tasks.values().stream()
                .mapToDouble(scores -> scores.retention(method))
                .average()
                .orElse(Double.NaN);
    }

    /// The methods the demo compares.
    enum Method {
        TASK_ARITHMETIC("task-arithmetic", "task arithm."),
        TIES("ties", "TIES"),
        DIVMERGE("divmerge", "DivMerge");

        private final String id;
        private final String title;

        Method(String id, String title) {
            this.id = id;
            this.title = title;
        }

        String id() {
            return id;
        }

        String title() {
            return title;
        }
    }
}
