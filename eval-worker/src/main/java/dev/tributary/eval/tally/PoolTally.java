package dev.tributary.eval.tally;

import dev.tributary.eval.verdict.RegressionPolicy;
import java.util.Collections;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/// Everything remembered of one pool. It changes only by applying records ([Tallying]), so reading
/// them again gives the same tally.
///
/// @param policy the pool's own verdict policy; empty when it was never configured
/// @param champion the generation being served, with its results
/// @param open generations some of whose tasks are without a result, by number
/// @param judged the newest generations with a verdict, by number
/// @param firing tasks whose alert fires, and [dev.tributary.eval.verdict.Alerts#POOL]
public record PoolTally(
        Optional<RegressionPolicy> policy,
        Optional<JudgedGeneration> champion,
        SortedMap<Long, OpenGeneration> open,
        SortedMap<Long, JudgedGeneration> judged,
        SortedSet<String> firing) {

    /// How many generations may be open, and how many judged ones are remembered.
    static final int KEPT = 32;

    /// Of a pool nothing is known of.
    static final PoolTally EMPTY =
            new PoolTally(
                    Optional.empty(),
                    Optional.empty(),
                    Collections.emptySortedMap(),
                    Collections.emptySortedMap(),
                    Collections.emptySortedSet());

    public PoolTally {
        open = Collections.unmodifiableSortedMap(new TreeMap<>(open));
        judged = Collections.unmodifiableSortedMap(new TreeMap<>(judged));
        firing = Collections.unmodifiableSortedSet(new TreeSet<>(firing));
    }

    /// The newest generation with a verdict.
    public Optional<JudgedGeneration> newest() {
        return judged.isEmpty()
                ? Optional.empty()
                : Optional.ofNullable(judged.get(judged.lastKey()));
    }

    /// How many generations have no verdict yet.
    public int openGenerations() {
        return open.size();
    }

    /// Whether this number has its verdict, or is older than what is remembered.
    boolean isOver(long number) {
        return judged.containsKey(number) || (judged.size() == KEPT && number < judged.firstKey());
    }

    PoolTally withPolicy(RegressionPolicy policyNow) {
        return new PoolTally(Optional.of(policyNow), champion, open, judged, firing);
    }

    PoolTally withChampion(JudgedGeneration championNow) {
        return new PoolTally(policy, Optional.of(championNow), open, judged, firing);
    }

    PoolTally withOpen(long number, OpenGeneration generation) {
        SortedMap<Long, OpenGeneration> openNow = new TreeMap<>(open);
        openNow.put(number, generation);
        return new PoolTally(policy, champion, openNow, judged, firing);
    }

    PoolTally withoutOpen(long number) {
        SortedMap<Long, OpenGeneration> openNow = new TreeMap<>(open);
        openNow.remove(number);
        return new PoolTally(policy, champion, openNow, judged, firing);
    }

    PoolTally withJudged(JudgedGeneration generation) {
        TreeMap<Long, JudgedGeneration> judgedNow = new TreeMap<>(judged);
        judgedNow.put(generation.number(), generation);
        while (judgedNow.size() > KEPT) {
            judgedNow.pollFirstEntry();
        }
        return new PoolTally(policy, champion, open, judgedNow, firing);
    }

    PoolTally withFiring(Set<String> firingNow) {
        return new PoolTally(policy, champion, open, judged, new TreeSet<>(firingNow));
    }
}
