package dev.tributary.merge;

import dev.tributary.tensors.ArtifactReference;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A wish come true: the merged model and how it came about.
///
/// @param wish what was asked for
/// @param number its number within the pool
/// @param artifact the merged model in the store
/// @param groups the groups of tensors that have a coefficient of their own, in order
/// @param members what took part, in order of task
/// @param lossBefore mean divergence from the experts at the start, in nats; null for methods
///   without an optimiser
/// @param lossAfter the same at the end
/// @param steps steps of the optimiser; 0 for methods without one
/// @param seconds how long it took
/// @param reused whether the store held it already, so that nothing was computed
record MergedGeneration(
        Wish wish,
        long number,
        ArtifactReference artifact,
        List<String> groups,
        List<Part> members,
        @Nullable Double lossBefore,
        @Nullable Double lossAfter,
        int steps,
        double seconds,
        boolean reused) {
    MergedGeneration {
        groups = List.copyOf(groups);
        members = List.copyOf(members);
    }

    /// One expert's part.
    ///
    /// @param taskVectorNorm Euclidean norm of expert minus base; null when it was not computed
    /// @param coefficients how much of it went in, one number for each group
    record Part(Wish.Member member, @Nullable Double taskVectorNorm, List<Double> coefficients) {
        Part {
            coefficients = List.copyOf(coefficients);
        }
    }

    /// What the pool remembers of it.
    LastGeneration asLast() {
        return new LastGeneration(
                number,
                wish.id(),
                artifact,
                groups,
                members.stream()
                        .map(part ->
                                new LastGeneration.Member(
                                        part.member().task(),
                                        part.member().accepted().checkpoint().digest(),
                                        part.coefficients()))
                        .toList());
    }
}
