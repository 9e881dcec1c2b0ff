package dev.tributary.merge;

import dev.tributary.tensors.ArtifactReference;
import dev.tributary.tensors.Digest;
import java.util.List;

/// The last generation of a pool, as far as the next merge needs it.
///
/// @param number its number within the pool, from 1
/// @param id digest of everything that determines it
/// @param artifact the merged model
/// @param groups the groups of tensors that have a coefficient of their own, in order
/// @param members what took part, in order of task
record LastGeneration(
        long number,
        Digest id,
        ArtifactReference artifact,
        List<String> groups,
        List<Member> members) {
    LastGeneration {
        groups = List.copyOf(groups);
        members = List.copyOf(members);
    }

    /// One expert that took part.
    ///
    /// @param coefficients how much of it went in, one number for each group
    record Member(String task, Digest checkpoint, List<Double> coefficients) {
        Member {
            coefficients = List.copyOf(coefficients);
        }
    }
}
