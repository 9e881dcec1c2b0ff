package dev.tributary.merging;

import dev.tributary.tensors.Checkpoint;
import java.util.List;

/// Answers the questions of a descent that somebody else carries out, a share at a time.
public final class MergeAssistant implements AutoCloseable {
    private final DescentBench bench;
    private final int shares;
    private final List<Checkpoint> open;

    MergeAssistant(DescentBench bench, int shares, List<Checkpoint> open) {
        this.bench = bench;
        this.shares = Math.min(shares, bench.tasks().size());
        this.open = List.copyOf(open);
    }

    /// How many shares there are.
    public int shares() {
        return shares;
    }

    /// Answers for one share.
    public ShareAnswer answer(DescentQuestion question, int share) {
        if (share < 0 || share >= shares) {
            throw new IllegalArgumentException(
                    "[share] %d, expected 0 to %d".formatted(share, shares - 1));
        }
        return SharedObjective.answer(bench.objective(), share, shares, question);
    }

    @Override
    public void close() {
        bench.close();
        open.forEach(Checkpoint::close);
    }
}
