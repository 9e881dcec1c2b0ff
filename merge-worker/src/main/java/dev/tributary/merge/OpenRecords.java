package dev.tributary.merge;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/// The records of one partition that still wait for an answer, in order, and how far the partition
/// has been read. Decides which offset may be committed: never one that passes an open record.
///
/// @param waiting the open records, oldest first
/// @param next offset of the first record not read yet
record OpenRecords(List<OpenRecord> waiting, long next) {
    OpenRecords {
        waiting = List.copyOf(waiting);
    }

    /// Nothing open, reading from here.
    static OpenRecords from(long offset) {
        return new OpenRecords(List.of(), offset);
    }

    /// With one more.
    OpenRecords with(OpenRecord open) {
        List<OpenRecord> more = new ArrayList<>(waiting);
        more.add(open);
        return new OpenRecords(more, open.offset() + 1);
    }

    /// Read up to here, with nothing to wait for in between.
    OpenRecords readTo(long offset) {
        return new OpenRecords(waiting, Math.max(next, offset));
    }

    /// The pools that wait, the longest waiting first.
    Set<String> pools() {
        Set<String> pools = new LinkedHashSet<>();
        for (OpenRecord open : waiting) {
            String pool = open.pool();
            if (pool != null) {
                pools.add(pool);
            }
        }
        return pools;
    }

    /// What waits for a pool's answer.
    List<OpenRecord> of(String pool) {
        return waiting.stream().filter(open -> pool.equals(open.pool())).toList();
    }

    /// The offset a restart would have to read from.
    long committable() {
        return waiting.isEmpty() ? next : waiting.getFirst().offset();
    }

    /// Answers everything that waits for these pools, and every record without a pool that nothing
    /// waits in front of any more.
    ///
    /// Records without a pool are answered strictly in order: there is no state that could remember
    /// that one was answered ahead of its turn.
    Answered answer(Set<String> pools) {
        List<OpenRecord> answered = new ArrayList<>();
        List<OpenRecord> left = new ArrayList<>();
        for (OpenRecord open : waiting) {
            String pool = open.pool();
            boolean now = pool == null ? left.isEmpty() : pools.contains(pool);
            (now ? answered : left).add(open);
        }
        return new Answered(answered, new OpenRecords(left, next));
    }

    /// What an answer settles.
    ///
    /// @param records what has its answer now
    /// @param rest what still waits
    record Answered(List<OpenRecord> records, OpenRecords rest) {
        Answered {
            records = List.copyOf(records);
        }
    }
}
