package dev.tributary.eval.tally;

import dev.tributary.eval.verdict.Verdict;

/// Told how the pools of this worker stand, for metrics. Called from Streams' threads; must return
/// quickly and must not throw.
public interface TallyObserver {

    /// A pool's tally changed, or this worker took the pool over.
    void changed(String pool, PoolTally tally);

    /// Another worker looks after the pool now.
    void handedOver(String pool);

    /// A generation was judged.
    void judged(String pool, Verdict verdict);
}
