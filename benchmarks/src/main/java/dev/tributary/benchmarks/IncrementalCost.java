package dev.tributary.benchmarks;

import dev.tributary.merging.Coefficients;
import dev.tributary.merging.DivMergeResult;
import dev.tributary.merging.MergeRequest;
import dev.tributary.merging.MergeResult;
import dev.tributary.merging.PoolMerger;
import dev.tributary.merging.Provenance;
import dev.tributary.merging.method.DivMerge;
import dev.tributary.merging.method.MergeMethod;
import dev.tributary.tensors.Digest;
import dev.tributary.tensors.Progress;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// What DivMerge costs a pool from scratch, when one more expert joins, and when one is replaced by
/// its next checkpoint, as the pool grows.
///
///     schedules BASE WORK EXPERT.. -- NAME OPTION=VALUE,.. ..   from scratch, by each schedule
///     pools     BASE WORK EXPERT.. -- OPTION=VALUE,.. SIZE,..   as the pool grows, at these sizes
///
/// An EXPERT is its task definition, its folder and, where there is one, an older checkpoint,
/// separated by colons. Work is counted in passes of one input forwards, one backwards as two. The
/// experts' answers are there beforehand: each is asked once in its life.
public final class IncrementalCost {
    private final Path base;
    private final Path work;
    private int merges;

    /// One expert.
    ///
    /// @param older a checkpoint that it replaces; null for none
    private record Expert(Path task, Path folder, @Nullable Path older) {
        static Expert of(String argument) {
            List<String> parts = List.of(argument.split(":", -1));
            return new Expert(
                    Path.of(parts.get(0)),
                    Path.of(parts.get(1)),
                    parts.size() > 2 ? Path.of(parts.get(2)) : null);
        }
    }

    /// What a merge took and came to.
    private record Cost(
            long passes, int steps, double seconds, double loss, Coefficients coefficients) {
        static final String COLUMNS = "passes | s | nats";

        String text() {
            return String.format(Locale.ROOT, "%d | %.1f | %.5f", passes, seconds, loss);
        }

        String of(Cost whole) {
            return String.format(
                    Locale.ROOT,
                    "%.3f | %.3f | %.3f",
                    (double) passes / whole.passes,
                    seconds / whole.seconds,
                    loss / whole.loss);
        }
    }

    private IncrementalCost(Path base, Path work) {
        this.base = base;
        this.work = work;
    }

    /// Prints a table.
    public static void main(String[] arguments) throws IOException {
        List<String> all = List.of(arguments);
        int end = all.indexOf("--");
        List<Expert> experts = all.subList(3, end).stream().map(Expert::of).toList();
        List<String> rest = all.subList(end + 1, all.size());
        IncrementalCost cost =
                new IncrementalCost(
                        Path.of(all.get(1)), Files.createDirectories(Path.of(all.get(2))));
        cost.merge(experts, method("max_steps=0"), null); // the experts' answers are kept
        if (all.getFirst().equals("schedules")) {
            cost.schedules(experts, rest);
        } else {
            List<Integer> sizes =
                    Stream.of(rest.get(1).split(",", -1)).map(Integer::valueOf).toList();
            cost.pools(experts, method(rest.getFirst()), sizes);
        }
    }

    private static DivMerge method(String options) {
        Map<String, String> values = new TreeMap<>();
        for (String option : options.isEmpty() ? new String[0] : options.split(",", -1)) {
            String[] parts = option.split("=", 2);
            values.put(parts[0], parts[1]);
        }
        return MergeMethod.of("divmerge", values).as(DivMerge.class).orElseThrow();
    }

    private void schedules(List<Expert> experts, List<String> schedules) throws IOException {
        System.out.println(
                "| schedule | steps | "
                        + Cost.COLUMNS
                        + " | of the first's "
                        + Cost.COLUMNS
                        + " |");
        System.out.println("|---|---|---|---|---|---|---|---|");
        Cost first = null;
        for (int i = 0; i < schedules.size(); i += 2) {
            Cost cost = merge(experts, method(schedules.get(i + 1)), null);
            first = first == null ? cost : first;
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %d | %s | %s |%n",
                    schedules.get(i),
                    cost.steps(),
                    cost.text(),
                    cost.of(first));
        }
    }

    private void pools(List<Expert> experts, DivMerge method, List<Integer> sizes)
            throws IOException {
        System.out.println(
                "| experts | from scratch: "
                        + Cost.COLUMNS
                        + " | one joins, of that: "
                        + Cost.COLUMNS
                        + " | one is replaced, of that: "
                        + Cost.COLUMNS
                        + " |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|");
        Cost before = merge(experts.subList(0, 1), method, null);
        for (int count = 2; count <= experts.size(); count++) {
            List<Expert> pool = experts.subList(0, count);
            Cost joined = merge(pool, method, before.coefficients());
            if (sizes.contains(count)) {
                Cost whole = merge(pool, method, null);
                System.out.printf(
                        Locale.ROOT,
                        "| %d | %s | %s | %s |%n",
                        count,
                        whole.text(),
                        joined.of(whole),
                        replaced(pool, method, whole));
            }
            before = joined;
        }
    }

    /// The expert with an older checkpoint, if the pool has one, is replaced by its next.
    private String replaced(List<Expert> pool, DivMerge method, Cost whole) throws IOException {
        List<Expert> earlier = new ArrayList<>(pool);
        earlier.replaceAll(
                one -> one.older() == null ? one : new Expert(one.task(), one.older(), null));
        if (earlier.equals(pool)) {
            return "- | - | -";
        }
        Cost old = merge(earlier, method, null);
        return merge(pool, method, old.coefficients()).of(whole);
    }

    private Cost merge(List<Expert> pool, DivMerge method, @Nullable Coefficients previous)
            throws IOException {
        List<MergeRequest.RequestedMember> members = new ArrayList<>();
        for (int i = 0; i < pool.size(); i++) {
            Expert expert = pool.get(i);
            members.add(
                    new MergeRequest.RequestedMember(
                            "expert-%02d".formatted(i),
                            expert.folder(),
                            Digest.ofDirectory(expert.folder()),
                            expert.task()));
        }
        Path target = Files.createDirectory(work.resolve("merge-" + merges++));
        Path cache = Files.createDirectories(work.resolve("cache"));
        delete(cache.resolve("descents"));
        MergeResult result =
                PoolMerger.merge(
                        new MergeRequest(
                                base,
                                Digest.ofDirectory(base),
                                members,
                                method,
                                previous,
                                null,
                                Provenance.ofPool("pool", 1, "base", null, Map.of()),
                                cache,
                                target),
                        Progress.SILENT);
        delete(target);
        DivMergeResult learnt = Objects.requireNonNull(result.learnt());
        return new Cost(
                learnt.passes(),
                learnt.steps(),
                result.took().toNanos() / 1e9,
                learnt.meanAfter(),
                learnt.coefficients());
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
