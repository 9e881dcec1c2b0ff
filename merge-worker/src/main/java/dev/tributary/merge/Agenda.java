package dev.tributary.merge;

import java.time.Instant;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What a partition has to do next. Cheap answers come before merges, and of the merges the one
/// that has waited longest comes first.
sealed interface Agenda {

    /// Publish the answers of these pools: nothing has to be merged for them.
    record Settle(Set<String> pools) implements Agenda {}

    /// Merge this.
    record Merge(Wish wish) implements Agenda {}

    /// Wait, at most until then.
    record WaitUntil(Instant moment) implements Agenda {}

    /// Nothing is open.
    record Idle() implements Agenda {}

    /// Decides.
    ///
    /// @param open what waits for an answer
    /// @param states every pool of the partition, with all accepted events in
    /// @param retryAt pools whose merge failed and is to be tried again, and when
    static Agenda next(
            OpenRecords open,
            Map<String, PoolState> states,
            Map<String, Instant> retryAt,
            Instant now) {
        Set<String> settled = new LinkedHashSet<>();
        for (String pool : open.pools()) {
            if (wanted(states.get(pool)).isEmpty()) {
                settled.add(pool);
            }
        }
        boolean headHasNoPool =
                !open.waiting().isEmpty() && open.waiting().getFirst().pool() == null;
        if (!settled.isEmpty() || headHasNoPool) {
            return new Settle(settled);
        }
        Set<String> candidates = new LinkedHashSet<>(open.pools());
        candidates.addAll(states.keySet());
        Instant earliest = Instant.MAX;
        for (String pool : candidates) {
            Optional<Wish> wish = wanted(states.get(pool));
            if (wish.isPresent()) {
                Instant moment = retryAt.getOrDefault(pool, Instant.MIN);
                if (!moment.isAfter(now)) {
                    return new Merge(wish.get());
                }
                earliest = moment.isBefore(earliest) ? moment : earliest;
            }
        }
        return earliest.equals(Instant.MAX) ? new Idle() : new WaitUntil(earliest);
    }

    private static Optional<Wish> wanted(@Nullable PoolState state) {
        return state == null
                ? Optional.empty()
                : Wish.of(state).filter(wish -> wish.isNewTo(state));
    }
}
