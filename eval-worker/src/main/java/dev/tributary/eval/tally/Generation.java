package dev.tributary.eval.tally;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// A merged model of a pool that is to be judged.
///
/// @param number its number within the pool
/// @param id digest of everything that determines it; a later number may have the id of an earlier
/// @param artifact the merged model
/// @param base the pool's base; null where an earlier version of this program kept the record
/// @param members the experts in it, one a task
public record Generation(
        String pool,
        long number,
        String id,
        Reference artifact,
        @Nullable Reference base,
        List<Member> members) {

    public Generation {
        members = List.copyOf(members);
    }

    /// One expert.
    ///
    /// @param expert its checkpoint
    /// @param taskDefinition the definition of its task with the validation items
    public record Member(String task, Reference expert, Reference taskDefinition) {}
}
