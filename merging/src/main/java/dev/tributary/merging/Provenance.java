package dev.tributary.merging;

import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Where a merge comes from, as its lineage records it; nothing here changes a weight.
///
/// @param title what the model card is headed
/// @param baseName the base as people know it: a hub id or a folder's name
/// @param pool the pool; null for a merge made from a recipe
/// @param number the generation's number in its pool; 0 outside of one
/// @param startedFrom id of the generation whose coefficients were the start; null for none
/// @param eventIds by task, the event its checkpoint came with; empty outside of a pool
/// @param expertNames by task, the expert as people know it; empty where only the digest is known
public record Provenance(
        String title,
        String baseName,
        @Nullable String pool,
        long number,
        @Nullable String startedFrom,
        SortedMap<String, String> eventIds,
        SortedMap<String, String> expertNames) {

    public Provenance {
        eventIds = Collections.unmodifiableSortedMap(new TreeMap<>(eventIds));
        expertNames = Collections.unmodifiableSortedMap(new TreeMap<>(expertNames));
    }

    /// A generation of a pool.
    public static Provenance ofPool(
            String pool,
            long number,
            String baseName,
            @Nullable String startedFrom,
            Map<String, String> eventIds) {
        return new Provenance(
                "%s, generation %d".formatted(pool, number),
                baseName,
                pool,
                number,
                startedFrom,
                new TreeMap<>(eventIds),
                new TreeMap<>());
    }

    /// A merge outside of any pool.
    public static Provenance ofRecipe(
            String title, String baseName, Map<String, String> expertNames) {
        return new Provenance(
                title, baseName, null, 0, null, new TreeMap<>(), new TreeMap<>(expertNames));
    }
}
