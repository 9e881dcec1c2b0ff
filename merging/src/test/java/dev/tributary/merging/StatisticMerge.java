package dev.tributary.merging;

import dev.tributary.merging.method.MergeArithmetic;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.merging.method.MergeTensor;
import dev.tributary.merging.method.Statistic;
import dev.tributary.merging.method.Statistics;
import dev.tributary.merging.method.TensorMerge;
import dev.tributary.merging.method.WeightAveraging;
import dev.tributary.merging.method.Workers;
import dev.tributary.tensors.Checkpoint;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/// Merges small tensors with statistics that are given instead of gathered.
final class StatisticMerge {
    private final Path folder;
    private final Map<String, List<Long>> shapes;
    private final Map<String, float[]> base;
    private final Map<String, Map<String, float[]>> experts = new LinkedHashMap<>();
    private final Map<Place, Given> given = new HashMap<>();
    private final Map<String, Double> weights = new HashMap<>();
    private int runs;

    private record Place(Statistic statistic, String task, String tensor) {}

    private record Given(MemorySegment values, long count) {}

    private record Known(Map<Place, Given> given, List<String> tasks) implements Statistics {
        @Override
        public Optional<MemorySegment> of(Statistic statistic, int expert, MergeTensor tensor) {
            return find(statistic, expert, tensor).map(Given::values);
        }

        @Override
        public long count(Statistic statistic, int expert, MergeTensor tensor) {
            return find(statistic, expert, tensor).map(Given::count).orElse(0L);
        }

        private Optional<Given> find(Statistic statistic, int expert, MergeTensor tensor) {
            return Optional.ofNullable(
                    given.get(new Place(statistic, tasks.get(expert), tensor.name())));
        }
    }

    StatisticMerge(Path folder, Map<String, List<Long>> shapes, Map<String, float[]> base) {
        this.folder = folder;
        this.shapes = shapes;
        this.base = base;
    }

    StatisticMerge with(String task, Map<String, float[]> values) {
        experts.put(task, values);
        return this;
    }

    StatisticMerge weight(String task, double weight) {
        weights.put(task, weight);
        return this;
    }

    StatisticMerge given(
            Statistic statistic, String task, String tensor, long count, float... values) {
        MemorySegment segment =
                Arena.ofAuto().allocate((long) values.length * Float.BYTES, Float.BYTES);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, 0, values.length);
        given.put(new Place(statistic, task, tensor), new Given(segment, count));
        return this;
    }

    /// The Gram matrix of some rows.
    StatisticMerge rows(String task, String tensor, float[] rows) {
        int width = Math.toIntExact(Objects.requireNonNull(shapes.get(tensor)).getLast());
        int count = rows.length / width;
        float[] gram = new float[width * width];
        for (int i = 0; i < gram.length; i++) {
            double sum = 0;
            for (int row = 0; row < count; row++) {
                sum += (double) rows[row * width + i / width] * rows[row * width + i % width];
            }
            gram[i] = (float) sum;
        }
        given(Statistic.INPUT_ROWS, task, tensor, count, rows);
        return given(Statistic.INPUT_GRAM, task, tensor, count, gram);
    }

    Map<String, float[]> merge(MergeMethod method) {
        return merge(method, List.copyOf(experts.keySet()));
    }

    /// The merged tensors, of the experts in an order.
    Map<String, float[]> merge(MergeMethod method, List<String> order) {
        Path work = folder.resolve("run" + runs++);
        List<Checkpoint> open = new ArrayList<>();
        try (Workers workers = Workers.create()) {
            Checkpoint opened = checkpoint(base).open(work.resolve("base"));
            open.add(opened);
            List<Member> members = new ArrayList<>();
            for (String task : order) {
                Member member =
                        checkpoint(Objects.requireNonNull(experts.get(task)))
                                .member(
                                        work.resolve(task),
                                        task,
                                        weights.getOrDefault(task, 1.0),
                                        null);
                open.add(member.expert());
                members.add(member);
            }
            MergePlan plan = MergePlanner.plan(opened, members, new WeightAveraging());
            PlanInputs inputs =
                    new PlanInputs(
                            opened,
                            plan.members(),
                            plan.groups(),
                            plan.shared(),
                            null,
                            workers,
                            new Known(given, plan.tasks()));
            MergeArithmetic arithmetic = method.arithmetic(inputs);
            Map<String, float[]> merged = new LinkedHashMap<>();
            for (SharedTensor tensor : plan.shared()) {
                try (TensorMerge merge = arithmetic.of(inputs.of(tensor))) {
                    merged.put(tensor.name(), values(merge, (int) tensor.elements()));
                }
            }
            return merged;
        } finally {
            open.forEach(Checkpoint::close);
        }
    }

    /// In two stretches, which must not show.
    private static float[] values(TensorMerge merge, int count) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment target = arena.allocate((long) count * Float.BYTES, Float.BYTES);
            int half = count / 2;
            merge.merge(half, count - half, target.asSlice((long) half * Float.BYTES));
            if (half > 0) {
                merge.merge(0, half, target.asSlice(0, (long) half * Float.BYTES));
            }
            return target.toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    private TinyCheckpoint checkpoint(Map<String, float[]> values) {
        TinyCheckpoint checkpoint = new TinyCheckpoint();
        values.forEach((name, one) ->
                checkpoint.with(
                        name,
                        dev.tributary.tensors.Dtype.F32,
                        Objects.requireNonNull(shapes.get(name)),
                        one));
        return checkpoint;
    }
}
