package dev.tributary.merging;

import dev.tributary.merging.method.GramSum;
import dev.tributary.merging.method.Statistic;
import dev.tributary.models.LayerWatcher;
import dev.tributary.tensors.Dtype;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// Sums up what goes into the layers of one expert, batch after batch.
final class LayerSums implements LayerWatcher, AutoCloseable {
    private static final Set<Statistic> OF_LAYERS =
            Set.of(Statistic.INPUT_GRAM, Statistic.INPUT_ROWS, Statistic.INPUT_SQUARES);

    private final Arena arena = Arena.ofShared();
    private final Set<Statistic> wanted;
    private final Map<List<String>, GramSum> grams = new LinkedHashMap<>();
    private final Map<List<String>, KeptRows> rows = new LinkedHashMap<>();
    private final Map<String, Squares> squares = new LinkedHashMap<>();

    /// Vectors as they came.
    private record KeptRows(int width, List<MemorySegment> parts) {}

    /// A sum of squares by dimension.
    private static final class Squares {
        private final MemorySegment sums;
        private long count;

        Squares(Arena arena, int width) {
            sums = arena.allocate((long) width * Double.BYTES, Double.BYTES);
        }

        void add(Rows vectors) {
            for (long i = 0; i < (long) vectors.count() * vectors.width(); i++) {
                double value = vectors.values().getAtIndex(ValueLayout.JAVA_FLOAT, i);
                long at = i % vectors.width();
                double sum = sums.getAtIndex(ValueLayout.JAVA_DOUBLE, at);
                sums.setAtIndex(ValueLayout.JAVA_DOUBLE, at, Math.fma(value, value, sum));
            }
            count += vectors.count();
        }
    }

    LayerSums(Set<Statistic> wanted) {
        this.wanted = Set.copyOf(wanted);
    }

    /// Those of these statistics that can be summed up here.
    static Set<Statistic> among(Set<Statistic> statistics) {
        Set<Statistic> found = EnumSet.noneOf(Statistic.class);
        statistics.stream().filter(OF_LAYERS::contains).forEach(found::add);
        return found;
    }

    @Override
    public void linear(List<String> weights, Rows inputs) {
        if (wanted.contains(Statistic.INPUT_GRAM)) {
            grams.computeIfAbsent(weights, _ -> new GramSum(arena, inputs.width()))
                    .add(inputs.values(), inputs.count());
        }
        if (wanted.contains(Statistic.INPUT_ROWS)) {
            MemorySegment kept = arena.allocate(inputs.values().byteSize(), Float.BYTES);
            kept.copyFrom(inputs.values());
            rows.computeIfAbsent(weights, _ -> new KeptRows(inputs.width(), new ArrayList<>()))
                    .parts()
                    .add(kept);
        }
    }

    @Override
    public void norm(String scale, Rows normalized) {
        if (wanted.contains(Statistic.INPUT_SQUARES)) {
            squares.computeIfAbsent(scale, _ -> new Squares(arena, normalized.width()))
                    .add(normalized);
        }
    }

    /// The sums of one statistic; valid until this is closed.
    List<SummedTensor> of(Statistic statistic) {
        List<SummedTensor> sums = new ArrayList<>();
        switch (statistic) {
            case INPUT_GRAM -> grams.forEach((names, gram) -> sums.add(gram(names, gram)));
            case INPUT_ROWS -> rows.forEach((names, kept) -> sums.add(rows(names, kept)));
            case INPUT_SQUARES ->
                    squares.forEach((name, one) ->
                            sums.add(
                                    new SummedTensor(
                                            List.of(name),
                                            List.of(one.sums.byteSize() / Double.BYTES),
                                            one.count,
                                            Dtype.F64,
                                            one.sums)));
            case FISHER, ABSOLUTE_GRADIENT ->
                    throw new IllegalArgumentException(statistic + " is no sum over inputs");
        }
        return sums;
    }

    private static SummedTensor gram(List<String> names, GramSum gram) {
        long width = Math.round(Math.sqrt(gram.values().byteSize() / (double) Double.BYTES));
        return new SummedTensor(
                names, List.of(width, width), gram.count(), Dtype.F64, gram.values());
    }

    private SummedTensor rows(List<String> names, KeptRows kept) {
        long bytes = kept.parts().stream().mapToLong(MemorySegment::byteSize).sum();
        MemorySegment all = arena.allocate(bytes, Float.BYTES);
        long at = 0;
        for (MemorySegment part : kept.parts()) {
            MemorySegment.copy(part, 0, all, at, part.byteSize());
            at += part.byteSize();
        }
        long count = bytes / Float.BYTES / kept.width();
        return new SummedTensor(
                names, List.of(count, Long.valueOf(kept.width())), count, Dtype.F32, all);
    }

    @Override
    public void close() {
        arena.close();
    }
}
