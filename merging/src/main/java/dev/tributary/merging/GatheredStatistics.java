package dev.tributary.merging;

import dev.tributary.merging.method.MergeTensor;
import dev.tributary.merging.method.Statistic;
import dev.tributary.merging.method.Statistics;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What was gathered for one plan, in mapped files: it takes no memory of its own, whatever the
/// number of experts.
public final class GatheredStatistics implements Statistics, AutoCloseable {
    private final Map<String, String> canonicalNames = new HashMap<>();
    private final Map<Statistic, Map<Integer, StatisticsCache.Entry>> entries =
            new EnumMap<>(Statistic.class);

    GatheredStatistics(List<SharedTensor> tensors) {
        tensors.forEach(tensor -> canonicalNames.put(tensor.outputName(), tensor.name()));
    }

    /// Takes an entry over.
    void put(Statistic statistic, int expert, StatisticsCache.Entry entry) {
        entries.computeIfAbsent(statistic, _ -> new HashMap<>()).put(expert, entry);
    }

    boolean has(Statistic statistic, int expert) {
        return entries.getOrDefault(statistic, Map.of()).containsKey(expert);
    }

    private StatisticsCache.Entry entry(Statistic statistic, int expert) {
        StatisticsCache.Entry entry = entries.getOrDefault(statistic, Map.of()).get(expert);
        if (entry == null) {
            throw new IllegalStateException(
                    "%s of expert %d was not gathered: does the method ask for it?"
                            .formatted(statistic, expert));
        }
        return entry;
    }

    private String canonical(MergeTensor tensor) {
        return canonicalNames.getOrDefault(tensor.name(), tensor.name());
    }

    @Override
    public Optional<MemorySegment> of(Statistic statistic, int expert, MergeTensor tensor) {
        return entry(statistic, expert).values(canonical(tensor));
    }

    @Override
    public long count(Statistic statistic, int expert, MergeTensor tensor) {
        return entry(statistic, expert).count(canonical(tensor));
    }

    @Override
    public void close() {
        entries.values()
                .forEach(byExpert -> byExpert.values().forEach(StatisticsCache.Entry::close));
        entries.clear();
    }
}
