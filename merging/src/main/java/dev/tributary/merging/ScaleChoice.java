package dev.tributary.merging;

import dev.tributary.tensors.Digest;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/// The scale a merge was given because its validation score is the largest, and what was scored
/// beside it.
///
/// @param grid what was chosen among
/// @param experts by task, the expert's own metric on the same examples; empty where scores are not
///   divided by it
/// @param validations by task, what identifies the examples
/// @param candidates in the order of the grid's values
public record ScaleChoice(
        ScaleGrid grid,
        SortedMap<String, Double> experts,
        SortedMap<String, Digest> validations,
        List<Candidate> candidates) {

    public ScaleChoice {
        experts = Collections.unmodifiableSortedMap(new TreeMap<>(experts));
        validations = Collections.unmodifiableSortedMap(new TreeMap<>(validations));
        candidates = List.copyOf(candidates);
    }

    /// One value and how the model merged with it did.
    ///
    /// @param score the mean over tasks, of metrics or of metrics divided by the experts' own
    /// @param metrics by task
    public record Candidate(double value, double score, SortedMap<String, Double> metrics) {
        public Candidate {
            metrics = Collections.unmodifiableSortedMap(new TreeMap<>(metrics));
        }
    }

    /// The candidate of the largest score, of equal ones that of the smallest value.
    public Candidate chosen() {
        return candidates.stream()
                .max(
                        Comparator.comparingDouble(Candidate::score)
                                .thenComparing(
                                        Comparator.comparingDouble(Candidate::value).reversed()))
                .orElseThrow();
    }

    /// A plan with the scale that was chosen.
    MergePlan applied(MergePlan plan) {
        return plan.with(grid.candidates(plan.method()).get(candidates.indexOf(chosen())));
    }
}
